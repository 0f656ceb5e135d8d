/* SPDX-License-Identifier: MIT */
#include "confine/run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "base/spawn.h"
#include "base/str.h"
#include "confine/cgroup.h"
#include "confine/launcher.h"
#include "confine/parts.h"
#include "confine/pids.h"

static void take_in(struct run *r, const struct run_message *m, pid_t sender)
{
	if (m->type == RUN_HELLO)
		r->main = sender;
	else if (m->type == RUN_EXIT) {
		r->main_exited = true;
		r->main_status = m->status;
	} else if (m->type == RUN_EMPTY) {
		r->empty = true;
	} else if (m->type == RUN_WALL && r->n_walls < SELFTEST_ROWS) {
		r->walls = xrealloc(r->walls, r->n_walls + 1, sizeof(*r->walls));
		r->walls[r->n_walls] = m->wall;
		r->walls[r->n_walls].want[sizeof(m->wall.want) - 1] = '\0';
		r->walls[r->n_walls].is[sizeof(m->wall.is) - 1] = '\0';
		r->walls[r->n_walls++].wall[sizeof(m->wall.wall) - 1] = '\0';
	}
}

/* The next message of the init within @ms: 1, 0 at the end, -ETIME, -errno. */
static int next_message(struct run *r, int ms, struct run_message *m)
{
	struct pollfd pfd = {.fd = r->ctl, .events = POLLIN};
	pid_t sender = 0;
	int n = poll(&pfd, 1, ms);

	if (n < 0)
		return -errno;
	if (n == 0)
		return -ETIME;
	n = message_receive(r->ctl, m, &sender, &r->listener);
	if (n > 0)
		take_in(r, m, sender);
	return n;
}

static void how_it_ended(const char *who, bool by_signal, int number, char *ret, size_t size)
{
	snprintf(ret, size, by_signal ? "%s was ended by signal %d" : "%s ended with status %d",
		 who, number);
}

/* Nothing more comes: the init has ended, or is about to. What is known of it is the only trace of
 * whoever killed the one or the other (a lack of memory, an administrator). */
static int told_no_more(const struct run *r, struct err *e)
{
	struct pollfd pfd = {.fd = r->init_fd, .events = POLLIN};
	siginfo_t info = {0};
	char how[80] = "";

	poll(&pfd, 1, 1000);
	if (r->main_exited)
		how_it_ended("it", WIFSIGNALED(r->main_status),
			     WIFSIGNALED(r->main_status) ? WTERMSIG(r->main_status)
							 : WEXITSTATUS(r->main_status),
			     how, sizeof(how));
	else if (waitid(P_PID, (id_t)r->init, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		 info.si_pid)
		how_it_ended("its init", info.si_code != CLD_EXITED, info.si_status, how,
			     sizeof(how));
	return err_set(e, -EPIPE, "the service's first process died while starting%s%s",
		       how[0] ? ": " : "", how);
}

static int wait_message(struct run *r, enum run_message_type want, long end, struct err *e)
{
	for (;;) {
		struct run_message m = {0};
		long left = end == LONG_MAX ? -1 : end - clock_ms();
		int n =
		    left < -1 ? -ETIME : next_message(r, left > INT_MAX ? INT_MAX : (int)left, &m);
		if (n == -EAGAIN)
			continue;
		if (n == -ETIME)
			return err_set(e, n,
				       "what runs before the service (ExecStartPre=) did not "
				       "end in time");
		if (n == -EINTR)
			return err_set(e, n, "interrupted");
		if (n < 0)
			return err_errno(e, n, "listening to the service's first process");
		if (n == 0)
			return told_no_more(r, e);
		m.err.msg[sizeof(m.err.msg) - 1] = '\0'; /* a root service may have written it */
		if (m.type == RUN_FAILED)
			return err_set(e, m.err.code < 0 ? m.err.code : -EIO, "%s", m.err.msg);
		if (m.type == want)
			return 0;
	}
}

/* What the init has of the caller's, beside the plan. */
struct beginning {
	const struct plan *plan;
	int image; /* -1 where no launcher is executed */
	int ctl, go;
	int callers[2]; /* their other ends: it would not see the caller die if it held them */
};

static void begin(const void *arg)
{
	const struct beginning *b = arg;

	if (b->image >= 0)
		launcher_execute(b->plan, b->image, b->ctl, b->go);
	close(b->callers[0]);
	close(b->callers[1]);
	init_main(b->plan, b->ctl, b->go);
}

/* All signals are held meanwhile, and for the init for good: what the caller does at one is not to
 * be done twice, least of all in the same memory. */
static pid_t start_init(struct clone_args *args, const struct beginning *b)
{
	sigset_t all, old;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid_t pid = spawn(args, b->image >= 0, begin, b);
	sigprocmask(SIG_SETMASK, &old, NULL); /* leaves errno as it is */
	return pid;
}

static pid_t clone_init(const struct plan *p, const struct beginning *b, int *ret_pidfd)
{
	uint64_t new_ns = CLONE_NEWPID | CLONE_NEWCGROUP;
	if (p->mnt_ns < 0)
		new_ns |= CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
	if (p->own_net)
		new_ns |= CLONE_NEWNET;
	const char *group = p->cgroup ? p->cgroup->unified : NULL;
	CLEANUP_FD int into = group ? open(group, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (group && into < 0)
		return -errno; /* what the group forbids would not be forbidden */
	struct clone_args args = {
	    .flags = CLONE_PIDFD | new_ns | (into >= 0 ? CLONE_INTO_CGROUP : 0),
	    .pidfd = (uintptr_t)ret_pidfd,
	    .exit_signal = SIGCHLD,
	    .cgroup = into >= 0 ? (uint64_t)into : 0,
	};
	return start_init(&args, b);
}

int run_start(const struct plan *p, struct run *ret, struct err *e)
{
	struct run r = RUN_INIT;
	int sock[2], go[2], on = 1;
	CLEANUP_FD int image = p->launcher < 0 ? -1 : launcher_image(p, e);

	if (p->launcher >= 0 && image < 0)
		return image;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
		return err_errno(e, -errno, "making a socket pair");
	if (pipe2(go, O_CLOEXEC) < 0) {
		close(sock[0]);
		close(sock[1]);
		return err_errno(e, -errno, "making a pipe");
	}
	setsockopt(sock[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	r.users = p->user_base ? p->user_ns : -1;
	const struct beginning b = {p, image, sock[1], go[0], {sock[0], go[1]}};
	r.init = clone_init(p, &b, &r.init_fd);
	int code = r.init < 0 ? -errno : 0;
	close(sock[1]);
	close(go[0]);
	r.ctl = sock[0];
	if (code == 0 && p->cgroup)
		cgroup_enter_others(p->cgroup, r.init);
	if (code == 0)
		code = fd_write_all(go[1], "", 1);
	/* At work before the service is there, and in the jail before anybody else. */
	if (code == 0 && p->same_pid && p->forks)
		r.pacer = pids_pace(r.init_fd);
	/* After our own last fork; beside the init, which needs it last. */
	pid_t number = code == 0 && p->same_pid ? pids_free() : 0;
	if (code == 0)
		code = fd_write_all(go[1], &number, sizeof(number));
	close(go[1]);
	if (code < 0)
		err_errno(e, code, "making namespaces (are they allowed on this host?)");
	else
		code = wait_message(&r, RUN_HELLO, LONG_MAX, e);
	if (code < 0) {
		run_end(&r);
		return code;
	}
	*ret = r;
	return 0;
}

int run_wait_exec(struct run *r, double seconds, struct err *e)
{
	return wait_message(r, RUN_EXEC,
			    seconds > 0 ? clock_ms() + (long)(seconds * 1000) : LONG_MAX, e);
}

void run_settled(struct run *r)
{
	pids_pace_end(&r->pacer);
}

/* As run_poll(), but a signal that came meanwhile is -EINTR. */
static int wait_end(struct run *r, int ms)
{
	struct run_message m;

	for (;;) {
		int n = r->ctl < 0 || r->empty ? 0 : next_message(r, ms, &m);
		if (n == -ETIME || n == -EAGAIN)
			return 0;
		if (n <= 0)
			return n == -EINTR ? n : 1;
		ms = 0;
	}
}

int run_poll(struct run *r, int ms)
{
	return wait_end(r, ms) == 1;
}

pid_t run_pid_inside(pid_t pid)
{
	char path[64], line[512];
	pid_t inside = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (!str_after(line, "NSpid:"))
			continue;
		char *last = strrchr(line, '\t');
		if (last)
			inside = (pid_t)strtol(last, NULL, 10);
		break;
	}
	fclose(f);
	return inside;
}

int run_root(const struct run *r)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/root", r->init);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

pid_t run_first_child(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	return children_first(AT_FDCWD, path);
}

pid_t run_main(const struct run *r, pid_t *ret_in)
{
	pid_t pid = r->main_exited ? run_first_child(r->init) : r->main;

	if (ret_in)
		*ret_in = pid ? run_pid_inside(pid) : 0;
	return pid;
}

bool run_alive(const struct run *r)
{
	return !r->main_exited || run_first_child(r->init) > 0;
}

bool run_over(const struct run *r)
{
	return r->main_exited && (r->main_status != 0 || !run_alive(r));
}

/* A pidfd of run_main(), or -ESRCH. */
static int open_main(const struct run *r)
{
	int followed =
	    r->main_fd >= 0 && !r->main_exited ? fcntl(r->main_fd, F_DUPFD_CLOEXEC, 3) : -1;

	if (followed >= 0)
		return followed;
	if (r->init_fd < 0)
		return -ESRCH; /* over: the numbers may be anybody's */
	pid_t pid = run_main(r, NULL);
	if (pid <= 0)
		return -ESRCH;
	CLEANUP_FD int fd = pidfd_open(pid, 0);
	/* Between the two calls the pid may have become somebody else's: then it is not a child of
	 * our init. A main process that has not exited yet is not reaped, so its pid is its own. */
	if (fd < 0 || (pid != r->main && run_first_child(r->init) != pid))
		return -ESRCH;
	return take_fd(&fd);
}

int run_signal(const struct run *r, int sig)
{
	CLEANUP_FD int fd = open_main(r);

	if (fd < 0)
		return fd;
	return pidfd_send_signal(fd, sig, NULL, 0) < 0 ? -errno : 0;
}

static void signal_all(const struct run *r, int sig)
{
	siginfo_t info = {.si_signo = SIGNAL_ALL, .si_code = SI_QUEUE};

	info.si_value.sival_int = sig;
	pidfd_send_signal(r->init_fd, SIGNAL_ALL, &info, 0);
}

void run_follow(struct run *r, pid_t outside, pid_t inside, int fd)
{
	siginfo_t info = {.si_signo = SIGNAL_MAIN, .si_code = SI_QUEUE};

	fd_close(&r->main_fd);
	r->main_fd = fd;
	r->main = outside;
	r->main_exited = false;
	info.si_value.sival_int = inside;
	pidfd_send_signal(r->init_fd, SIGNAL_MAIN, &info, 0);
}

/* How long an init may take to say how it has ended, in milliseconds. */
#define TOLD_MS 100

void run_followed_ended(struct run *r)
{
	long end = clock_ms() + TOLD_MS;

	while (!r->main_exited && wait_end(r, 20) != 1 && clock_ms() < end)
		;
	if (!r->main_exited)
		r->main_status = 0; /* somebody else's child */
	r->main_exited = true;
}

/* How long what is killed may take to be gone, in milliseconds. */
#define KILLED_MS 2000

/* 1: all have ended; 0: they have not; -EINTR. */
static int ask_to_end(struct run *r, int sig, int ms, const struct run_patience *p)
{
	long end = ms < 0 ? LONG_MAX : clock_ms() + ms;
	bool told_all = false;
	int gone = r->ctl < 0 || run_poll(r, 0);
	bool left = r->main_exited && r->main_fd >= 0; /* all that there is has been left */
	CLEANUP_FD int target = gone || left ? -1 : open_main(r);

	if (target >= 0)
		pidfd_send_signal(target, sig, NULL, 0);
	while (!gone && clock_ms() < end && !(p && p->is_over(p->user))) {
		if (!told_all && (target < 0 || fd_readable(target))) {
			signal_all(r, sig);
			told_all = true;
			long grace = clock_ms() + RUN_GRACE_MS;
			end = grace < end ? grace : end;
		}
		gone = wait_end(r, 20);
	}
	return gone;
}

int run_stop(struct run *r, int sig, int ms)
{
	int gone = ask_to_end(r, sig, ms, NULL);

	run_end(r);
	return gone == 1 ? 0 : 1; /* interrupted: whoever asks for that has no patience left */
}

int run_quiet(struct run *r, int sig, int ms, const struct run_patience *p)
{
	int gone = ask_to_end(r, sig, ms, p);
	long end = clock_ms() + KILLED_MS;

	if (gone == 1)
		return 0;
	signal_all(r, SIGKILL);
	while (wait_end(r, 20) != 1 && clock_ms() < end)
		;
	return 1;
}

void run_end(struct run *r)
{
	run_settled(r);
	if (r->init_fd >= 0) {
		pidfd_send_signal(r->init_fd, SIGKILL, NULL, 0);
		while (waitpid(r->init, NULL, 0) < 0 && errno == EINTR)
			;
	}
	free(r->walls);
	r->walls = NULL;
	fd_close(&r->init_fd);
	fd_close(&r->main_fd);
	fd_close(&r->ctl);
	fd_close(&r->listener);
}
