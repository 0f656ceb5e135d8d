/* SPDX-License-Identifier: MIT */
/* The first process of a pid namespace. It does four things and then very little:
 *
 * 1. dies with its caller: PDEATHSIG first, then a byte from the caller, which cannot come from a
 *    dead one (the race of bubblewrap's issue 633).
 * 2. enters the world (namespaces by descriptor), or makes namespaces of its own, and mounts the
 *    /proc of its pid namespace there.
 * 3. builds and enters the root (rootfs.c) and starts the service's process, with the number that
 *    it shall have (pids.h), which the caller has found meanwhile: that takes rights which step 4
 *    gives up. It may have our memory (spawn.h), and then we stand still until it executes.
 * 4. hides from the service, and gives up the rights it will not need again. The service may run by
 *    then, without a way to reach us: we are not dumpable, and it has no right to trace.
 * 5. forwards signals (a pid 1 without handlers would swallow TERM), reaps, says how the main
 *    process ended, and exits when nobody is left: the kernel then ends whatever remains. Where
 *    commands come after the service (plan.h, `stays`), it says so and waits to be ended. */
#include "confine/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "base/root.h"
#include "base/sysctl.h"
#include "confine/ipc.h"
#include "confine/loopback.h"
#include "confine/pids.h"
#include "confine/rights.h"
#include "confine/rootfs.h"

/* It passes on signals to whatever user the service has become. */
#define INIT_RIGHTS (UINT64_C(1) << CAP_KILL)

static int enter_world(const struct plan *p, struct err *e)
{
	const struct {
		int fd, type;
	} ns[] = {
	    {p->net_ns, CLONE_NEWNET},
	    {p->ipc_ns, CLONE_NEWIPC},
	    {p->uts_ns, CLONE_NEWUTS},
	    {p->mnt_ns, CLONE_NEWNS},
	};

	for (size_t i = 0; i < ARRAY_LEN(ns); i++)
		if (ns[i].fd >= 0 && setns(ns[i].fd, ns[i].type) < 0)
			return err_errno(e, -errno, "entering the world");
	int up = p->own_net ? loopback_up(false) : 0;
	if (up < 0)
		return err_errno(e, up, "bringing up lo in a network of its own");
	if (p->mnt_ns < 0) {
		if (p->ipc)
			ipc_dress(p->ipc); /* while /proc of the host is still there */
		return 0;
	}
	/* The exercise shares the world's mounts and must see this pid namespace. */
	CLEANUP_FD int at = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = at < 0 ? -errno : rootfs_proc(at, NULL, 0);
	return r < 0 ? err_errno(e, r, "mounting the world's /proc") : 0;
}

static int enter_root(const struct plan *p, struct err *e)
{
	if (p->root < 0)
		return 0;
	int r = root_own();
	if (r < 0)
		return err_errno(e, r, "making mounts private");
	return rootfs_enter(p, e);
}

/* A /proc for us to look into: the one that the jail has, whose root may see the same, where nobody
 * has been in it yet; else one of its processes alone, as a root service may get at it. */
static int open_proc(const struct plan *p)
{
	static const char *const options[] = {"subset", "pid", NULL};

	for (size_t i = 0; p->root >= 0 && i < p->mounts.n; i++)
		if (p->mounts.v[i].kind == MOUNT_PROC) {
			int fd = open(p->mounts.v[i].target, O_PATH | O_DIRECTORY | O_CLOEXEC);
			return fd < 0 ? -errno : fd;
		}
	return rootfs_fs("proc", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/* The service shares our pid namespace. What whoever started us had in its environment is none of
 * its business, and our program is a file of the host: a process that is not dumpable cannot be
 * entered through /proc or ptrace without SYS_PTRACE, which nobody inside has. */
static void hide(void)
{
	child_forget();
	prctl(PR_SET_DUMPABLE, 0);
}

/* Nothing is executed from anonymous memory in this pid namespace either, memfd_create(2): an extra
 * wall, of Linux 6.3. By the host's /proc, while that is the one that we see; the kernel takes the
 * writer's namespace. */
static void forbid_memory_programs(void)
{
	static const char *const name = "vm/memfd_noexec";
	static char value[] = "2";
	char *const values[] = {value};

	sysctl_write(&name, 1, values);
}

static NORETURN void give_up(int ctl, const struct err *e)
{
	struct run_message m = {.type = RUN_FAILED, .err = *e};

	message_send(ctl, &m, -1);
	_exit(1);
}

/* The service that put itself into the background: our oldest child, by the kernel's own list. */
static pid_t adopted(int proc)
{
	return children_first(proc, "1/task/1/children");
}

/* Nobody is left. */
static void end(const struct plan *p, int ctl)
{
	const struct run_message m = {.type = RUN_EMPTY};

	if (!p->stays)
		_exit(0);
	message_send(ctl, &m, -1);
}

static void reap(const struct plan *p, int ctl, pid_t *main_pid)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == *main_pid) {
			struct run_message m = {.type = RUN_EXIT, .status = status};
			*main_pid = 0;
			message_send(ctl, &m, -1);
		}
	if (pid < 0 && errno == ECHILD)
		end(p, ctl);
}

static NORETURN void serve(const struct plan *p, int ctl, int proc, pid_t main_pid,
			   const sigset_t *all)
{
	siginfo_t info;

	for (;;) {
		int sig = sigwaitinfo(all, &info);
		if (sig == SIGCHLD)
			reap(p, ctl, &main_pid);
		else if (sig == SIGNAL_ALL)
			kill(-1, info.si_value.sival_int); /* all of the namespace but us */
		else if (sig == SIGNAL_MAIN)
			main_pid = info.si_value.sival_int;
		else if (sig > 0) {
			pid_t to = main_pid ? main_pid : adopted(proc);
			if (to > 1)
				kill(to, sig);
		}
	}
}

/* Passes on what the child says before exec; end of file means that it was executed. */
static void relay_exec(int ctl, int report)
{
	struct run_message m, done = {.type = RUN_EXEC};
	ssize_t n;

	for (;;) {
		n = read(report, &m, sizeof(m));
		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(m))
			break;
		message_send(ctl, &m, -1);
		if (m.type == RUN_FAILED)
			return;
	}
	message_send(ctl, &done, -1);
}

/* What the caller writes. One that is not dead hears why it gets no service. */
static void wait_for_caller(int ctl, int go, void *ret, size_t size)
{
	struct err e = {0};
	ssize_t n;

	while ((n = read(go, ret, size)) < 0 && errno == EINTR)
		;
	if (n == (ssize_t)size)
		return;
	err_errno(&e, n < 0 ? -errno : -EPIPE, "waiting for the caller's word");
	give_up(ctl, &e);
}

/* What the service's process is told by the init. */
struct service {
	const struct plan *plan;
	int ctl, report;
};

static void run_service(const void *arg)
{
	const struct service *s = arg;

	child_main(s->plan, s->ctl, s->report);
}

/* Whether the service's process may have our memory until it executes: where it does nothing that
 * lasts before, and says no more than the pipe to us holds. With fs.suid_dumpable=1,
 * proc_sys_fs(5), its change of user would open that memory, and so us, to other processes of the
 * user. Asked while /proc is the host's. */
static bool may_lend(const struct plan *p)
{
	return p->n_steps == 0 && !p->accepts && !p->tell_walls &&
	       sysctl_number("fs/suid_dumpable", 1) != 1;
}

void init_main(const struct plan *p, int ctl, int go)
{
	const struct timespec no_time = {0};
	struct err e = {0};
	int report[2];
	sigset_t all;
	pid_t number;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	wait_for_caller(ctl, go, &byte, sizeof(byte));
	prctl(PR_SET_NAME, "immure-init");
	setsid();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	while (sigtimedwait(&all, NULL, &no_time) > 0)
		; /* a terminal's, for our caller: the service is not there yet */
	bool lends = may_lend(p);
	if (p->walls)
		forbid_memory_programs();
	if (enter_world(p, &e) < 0)
		give_up(ctl, &e);
	if (enter_root(p, &e) < 0)
		give_up(ctl, &e);
	int proc = open_proc(p);
	if (proc < 0) {
		err_errno(&e, proc, "opening /proc");
		give_up(ctl, &e);
	}
	hide();
	if (pipe2(report, O_CLOEXEC) < 0) {
		err_errno(&e, -errno, "making a pipe in the jail");
		give_up(ctl, &e);
	}
	wait_for_caller(ctl, go, &number, sizeof(number));
	close(go);
	const struct service service = {p, ctl, report[1]};
	pid_t child = pids_spawn(number, lends, run_service, &service);
	hide(); /* again: lent memory is as dumpable as the service's change of user left it */
	if (child < 0) {
		err_errno(&e, -errno, "starting the service's process");
		give_up(ctl, &e);
	}
	const int keep[] = {ctl, proc, report[0]};
	close_all_but(keep, ARRAY_LEN(keep));
	int r = rights_reduce(p->walls ? INIT_RIGHTS : rights_most());
	if (r < 0) {
		err_errno(&e, r, "giving up the init's rights");
		give_up(ctl, &e);
	}
	relay_exec(ctl, report[0]);
	close(report[0]);
	serve(p, ctl, proc, child, &all);
}
