/* SPDX-License-Identifier: MIT */
/* The order, and why (compare enter.c):
 *
 * 1. A helper stops being dumpable, and takes detached copies of the host's trees, while paths mean
 *    the host's.
 * 2. It joins the jail's namespaces by the pidfd of its init (or makes new ones). Only its children
 *    are in the pid namespace: the jail never sees the helper.
 * 3. Its child makes a mount namespace of its own, a copy of the jail's, and builds the visitor's
 *    root there (visit-root.c). It is root with all rights, and not dumpable.
 * 4. That one closes all descriptors but the standard ones, gives up rights (visit-rights.c) and
 *    executes. exec makes it dumpable; its rights are what keeps the jail's processes off.
 * 5. Whatever the visitor has left behind is adopted by the jail's init: it is found by its mount
 *    namespace, which nobody else is in and nobody can leave, and killed. The helper does that when
 *    the caller dies, the caller when all is over: either can be killed. Both hold the namespace
 *    until then, so that its number cannot be another's.
 *
 * A jailed root may signal the visitor, where Landlock does not forbid it (before Linux 6.12): it
 * is root as well. It can end the visit so, but not hold the caller up. The helper, which nobody
 * inside can signal, lets a visitor that was stopped go on and ends a visit in which that does not
 * help; and a key that is pressed to interrupt reaches even what is stopped. */
#include "confine/visit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "base/root.h"
#include "confine/parts.h"
#include "confine/rootfs.h"
#include "confine/visit-parts.h"

#define JAIL_NAMESPACES                                                                            \
	(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP)
#define OWN_NAMESPACES (CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)
#define SWEEPS_MAX     1000
#define STOPS_MAX      20 /* of a visitor, by others than who pressed a key */

/* What the caller hears: where the visitor is, and how it ended or why it could not begin. */
struct word {
	ino_t ns; /* 0: nowhere */
	bool ended;
	int status;
	struct err err;
};

int visit_names(int fd, struct strv *ret)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);

	if (!d)
		return -errno;
	for (struct dirent *de; (de = readdir(d));)
		if (!streq(de->d_name, ".") && !streq(de->d_name, ".."))
			strv_add(ret, de->d_name);
	closedir(d);
	return 0;
}

static ino_t mount_ns(int proc, const char *pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "%.20s/ns/mnt", pid);
	return fstatat(proc, path, &st, 0) < 0 ? 0 : st.st_ino;
}

/* By a descriptor: the number may be somebody else's in the next moment. */
static bool signal_one(int proc, const char *pid, ino_t ns, int sig)
{
	CLEANUP_FD int fd =
	    mount_ns(proc, pid) == ns ? pidfd_open((pid_t)strtol(pid, NULL, 10), 0) : -1;

	return fd >= 0 && mount_ns(proc, pid) == ns && pidfd_send_signal(fd, sig, NULL, 0) == 0;
}

/* Whether there was one. */
static bool signal_all(int proc, ino_t ns, int sig)
{
	struct strv pids CLEANUP_STRV = STRV_INIT;
	bool found = false;

	visit_names(proc, &pids);
	for (size_t k = 0; ns && k < pids.n; k++)
		if (strspn(pids.v[k], "0123456789") == strlen(pids.v[k]))
			found |= signal_one(proc, pids.v[k], ns, sig);
	return found;
}

void visit_sweep(int proc, ino_t ns)
{
	for (int i = 0; i < SWEEPS_MAX && signal_all(proc, ns, SIGKILL); i++)
		;
}

static NORETURN void fail(int to, const struct err *e)
{
	struct word w = {.ended = true, .err = *e};

	fd_write_all(to, &w, sizeof(w));
	_exit(127);
}

/* Its number stays its own for as long as a descriptor of it lies in the socket behind @pin, which
 * nobody reads: when the last process has left a namespace, the next one that anybody makes may get
 * its number, and be swept in its place. */
static int pin_namespace(int proc, int pin)
{
	CLEANUP_FD int fd = openat(proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_send(pin, fd);
}

static NORETURN void visitor(const struct visit *v, const int *trees, int loader, int proc, int pin,
			     int to)
{
	const int keep[] = {0, 1, 2, to};
	struct word here = {0};
	struct err e = {0};
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNS) < 0 || root_own() < 0) {
		err_errno(&e, -errno, "making a mount namespace");
		fail(to, &e);
	}
	int r = pin_namespace(proc, pin);
	if (r < 0) {
		err_errno(&e, r, "holding the mount namespace");
		fail(to, &e);
	}
	here.ns = mount_ns(proc, "self");
	fd_write_all(to, &here, sizeof(here));
	if ((v->init < 0 && rootfs_enter(v->plan, &e) < 0) || visit_root(v, trees, loader, &e) < 0)
		fail(to, &e);
	close_all_but(keep, ARRAY_LEN(keep));
	/* A group that has a number in this pid namespace: a shell asks for it. */
	if (v->terminal && setpgid(0, 0) == 0)
		tcsetpgrp(0, getpid());
	if (visit_reduce(&e) < 0)
		fail(to, &e);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	environ = (char **)(uintptr_t)v->envp; /* with the PATH that is searched */
	execvp(v->argv[0], v->argv);
	err_errno(&e, -errno, "%s", v->argv[0]);
	fail(to, &e);
}

static int take_along(const struct visit *v, int *trees, int *ret_loader, struct err *e)
{
	for (size_t i = 0; i < v->trees.n; i++) {
		trees[i] = visit_take(v->trees.v[i], e);
		if (trees[i] < 0)
			return trees[i];
	}
	CLEANUP_STR char *loader = v->loader ? realpath(v->loader, NULL) : NULL;
	*ret_loader = loader ? visit_take(loader, e) : -1;
	return loader && *ret_loader < 0 ? *ret_loader : 0;
}

/* --- the helper, while there is a visitor --- */

struct attendance {
	pid_t pid, caller; /* the visitor's, as the helper sees it */
	int proc;
	int from, to; /* what the visitor says, until it has executed; the caller */
	int signals;
	bool terminal, over;
	int stops;
	struct word end;
};

/* Whether the caller is stopped as well: a key on their terminal stops both. The two are not told
 * at the same moment. */
static bool caller_stopped(const struct attendance *a)
{
	char path[32], stat[512];

	snprintf(path, sizeof(path), "%d/stat", (int)a->caller);
	for (int i = 0; i < 10; i++) {
		CLEANUP_FD int fd = openat(a->proc, path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, stat, sizeof(stat) - 1);
		stat[n > 0 ? n : 0] = '\0';
		const char *state = strrchr(stat, ')');
		if (state && strncmp(state, ") T", 3) == 0)
			return true;
		poll(NULL, 0, 10);
	}
	return false;
}

/* An interactive shell stops none but what it has started; a command's keys are the caller's too.
 */
static void on_stop(struct attendance *a)
{
	if (a->from < 0 && !a->terminal && caller_stopped(a))
		return;
	if (++a->stops <= STOPS_MAX) {
		kill(a->pid, SIGCONT);
		return;
	}
	kill(a->pid, SIGKILL);
	err_set(&a->end.err, -EBUSY,
		"something in the jail keeps stopping the visitor: freeze the jail first");
}

static void on_children(struct attendance *a)
{
	int status = 0;
	pid_t pid;

	while ((pid = waitpid(a->pid, &status, WNOHANG | WUNTRACED)) > 0)
		if (WIFSTOPPED(status))
			on_stop(a);
		else
			break;
	a->over |= pid != 0;
	a->end.status = pid > 0 ? status : a->end.status;
}

static void on_signal(struct attendance *a)
{
	struct signalfd_siginfo info = {0};

	if (read(a->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD)
		on_children(a);
	else if (info.ssi_signo == SIGTERM)
		a->over = true;
	else
		signal_all(a->proc, a->end.ns, SIGCONT);
}

static void on_word(struct attendance *a)
{
	struct word w;

	if (read(a->from, &w, sizeof(w)) != (ssize_t)sizeof(w)) {
		fd_close(&a->from);
		return;
	}
	a->end.ns = w.ns ? w.ns : a->end.ns;
	a->end.err = w.err;
	fd_write_all(a->to, &a->end, sizeof(a->end));
}

/* Until the visitor has ended, or the caller: then nobody stays. */
static NORETURN void attend(struct attendance *a)
{
	sigset_t heard;

	sigemptyset(&heard);
	sigaddset(&heard, SIGCHLD);
	sigaddset(&heard, SIGTERM);
	sigaddset(&heard, SIGINT);
	sigaddset(&heard, SIGQUIT);
	a->signals = signalfd(-1, &heard, SFD_CLOEXEC);
	/* What it says is heard before it has ended. */
	while (a->signals >= 0 && (!a->over || a->from >= 0)) {
		struct pollfd fds[] = {{.fd = a->signals, .events = POLLIN},
				       {.fd = a->from, .events = POLLIN}};
		poll(fds, ARRAY_LEN(fds), a->over ? 0 : -1);
		if (fds[1].revents)
			on_word(a);
		else if (fds[0].revents)
			on_signal(a);
		else if (a->over)
			break;
	}
	visit_sweep(a->proc, a->end.ns);
	a->end.ended = true;
	fd_write_all(a->to, &a->end, sizeof(a->end));
	_exit(0);
}

static NORETURN void helper(const struct visit *v, pid_t caller, int proc, int pin, int to)
{
	int trees[16], loader = -1, report[2];
	struct err e = {0};
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_SET_DUMPABLE, 0);
	if (getppid() != caller || v->trees.n > ARRAY_LEN(trees))
		_exit(1);
	if (take_along(v, trees, &loader, &e) < 0)
		fail(to, &e);
	if (pipe2(report, O_CLOEXEC) < 0 ||
	    (v->init >= 0 ? setns(v->init, JAIL_NAMESPACES) : unshare(OWN_NAMESPACES)) < 0) {
		err_errno(&e, -errno, "entering the jail");
		fail(to, &e);
	}
	pid_t pid = fork();
	if (pid == 0)
		visitor(v, trees, loader, proc, pin, report[1]);
	if (pid < 0) {
		err_errno(&e, -errno, "starting a command in the jail");
		fail(to, &e);
	}
	close(report[1]);
	attend(&(struct attendance){.pid = pid,
				    .caller = caller,
				    .proc = proc,
				    .from = report[0],
				    .to = to,
				    .terminal = v->terminal});
}

/* All words up to the end of file; the last one tells. */
static void hear(int from, struct word *last)
{
	struct word w;
	ssize_t n;

	while ((n = read(from, &w, sizeof(w))) > 0 || (n < 0 && errno == EINTR))
		if (n == (ssize_t)sizeof(w)) {
			w.ns = w.ns ? w.ns : last->ns;
			*last = w;
		}
	last->err.msg[sizeof(last->err.msg) - 1] = '\0';
}

/* Back from whoever had it. */
static void take_terminal(const struct visit *v)
{
	void (*before)(int) = signal(SIGTTOU, SIG_IGN);

	if (v->terminal)
		tcsetpgrp(0, getpgrp());
	signal(SIGTTOU, before);
}

int visit_run(const struct visit *v, int *ret_status, struct err *e)
{
	CLEANUP_FD int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct word last = {0};
	pid_t self = getpid();
	int words[2], pins[2];

	if (proc < 0 || socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pins) < 0)
		return err_errno(e, -errno, "preparing a visit");
	CLEANUP_FD UNUSED int held = pins[0]; /* until all is swept */
	CLEANUP_FD int pin = pins[1];
	if (pipe2(words, O_CLOEXEC) < 0)
		return err_errno(e, -errno, "preparing a visit");
	/* A key pressed for the visitor is not for us. */
	void (*interrupt)(int) = signal(SIGINT, SIG_IGN), (*quit)(int) = signal(SIGQUIT, SIG_IGN);
	pid_t pid = fork();
	if (pid == 0)
		helper(v, self, proc, pin, words[1]);
	int code = pid < 0 ? -errno : 0;
	close(words[1]);
	hear(words[0], &last);
	close(words[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	visit_sweep(proc, last.ns);
	take_terminal(v);
	signal(SIGINT, interrupt);
	signal(SIGQUIT, quit);
	if (code < 0)
		return err_errno(e, code, "preparing a visit");
	if (last.err.code)
		return err_set(e, last.err.code, "%s", last.err.msg);
	*ret_status = last.status;
	return last.ended ? 0 : err_set(e, -EIO, "the visit's helper was killed");
}
