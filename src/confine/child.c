/* SPDX-License-Identifier: MIT */
/* The service's process, from its beginning to exec. It may be on the init's memory, which stands
 * still so long (init.c): nothing is kept there for later. The order, and why:
 *
 * 1. session, standard streams, descriptors, keyring: nothing of ours is left to inherit (runc
 *    CVE-2024-21626: an internal descriptor as a way out).
 * 2. limits, priority: raising them needs rights that the next steps take away.
 * 3. the user namespace, where it has one of its own: from here on every right is one inside it.
 *    After the limits, which the host's rights raise.
 * 4. no_new_privs, where the service needs no set-id program: from here on no execution gives
 *    rights. Before the filter, so that nothing can come between the two.
 * 5. Landlock, which opens the directories that it allows: with root's rights, in the jail's root.
 *    A twin that learns has neither this nor the step before.
 * 6. the filter. Loading it without no_new_privs needs CAP_SYS_ADMIN, so before rights are given
 *    up; what the steps after it call is in its base set. Its listener goes to the caller at once:
 *    from here on each call that it names waits for the caller.
 * 7. the bounding set: rights over the host (rights.h), and in a jail all that was not learnt, are
 *    gone for good; no program regains them.
 * 8. the commands that come before the main one, each in a process of its own, under the same
 *    filter (a second listener in one tree is EBUSY).
 * 9. groups, gid, uid, in the only order that works; then checked, not believed. Securebits before
 *    them (they take a right), the exact sets of capabilities after them.
 * 10. cwd (as the user: it may be readable by him alone), umask, the self-test, the second filter
 *    (walls.h), which takes away what the steps before it had to call, exec. */
#include "confine/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "base/str.h"
#include "confine/landlock.h"
#include "confine/own-status.h"
#include "confine/rights.h"
#include "confine/selftest.h"
#include "confine/users.h"
#include "confine/walls.h"

static NORETURN void fail_with(int report, const struct err *e)
{
	const struct run_message m = {.type = RUN_FAILED, .err = *e};

	fd_write_all(report, &m, sizeof(m));
	_exit(127);
}

static NORETURN void fail(int report, int code, const char *what, const char *arg)
{
	struct err e = {0};

	err_errno(&e, code, "%s%s%s", what, arg ? " " : "", arg ? arg : "");
	fail_with(report, &e);
}

void child_forget(void)
{
	for (char **env = environ; env && *env; env++)
		memset(*env, 0, strlen(*env));
}

static int compare_int(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

void close_all_but(const int *keep, size_t n)
{
	int sorted[8 + PLAN_PASS_MAX];
	size_t m = 0;
	unsigned from = 0;

	for (size_t i = 0; i < n && m < ARRAY_LEN(sorted); i++)
		if (keep[i] >= 0)
			sorted[m++] = keep[i];
	qsort(sorted, m, sizeof(sorted[0]), compare_int);
	for (size_t i = 0; i < m; i++) {
		if ((unsigned)sorted[i] > from)
			close_range(from, (unsigned)sorted[i] - 1, 0);
		from = (unsigned)sorted[i] + 1;
	}
	close_range(from, ~0u, 0);
}

static void set_stdio(const struct plan *p, int report)
{
	int fds[3];

	/* Above the standard numbers first, so that none is overwritten before it is used. */
	for (int i = 0; i < 3; i++) {
		fds[i] = fcntl(p->stdio[i], F_DUPFD_CLOEXEC, 10);
		if (fds[i] < 0)
			fail(report, -errno, "standard descriptors", NULL);
	}
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) < 0)
			fail(report, -errno, "standard descriptors", NULL);
}

/* As systemd does it: what this host does not let anybody have becomes the most that it does. */
static int set_limit(int resource, const struct rlimit *want)
{
	struct rlimit most, fixed = *want;

	if (setrlimit(resource, want) == 0)
		return 0;
	if (errno != EPERM || getrlimit(resource, &most) < 0)
		return -errno;
	fixed.rlim_max = want->rlim_max < most.rlim_max ? want->rlim_max : most.rlim_max;
	fixed.rlim_cur = want->rlim_cur < most.rlim_max ? want->rlim_cur : most.rlim_max;
	return setrlimit(resource, &fixed) < 0 ? -errno : 0;
}

static void set_oom_score(int score, int report)
{
	char text[16];
	CLEANUP_FD int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	int n = snprintf(text, sizeof(text), "%d", score);
	int r = fd < 0 ? -errno : fd_write_all(fd, text, (size_t)n);

	if (r < 0)
		fail(report, r, "setting OOMScoreAdjust", NULL);
}

/* The limits last: what comes before them opens a file, which they may forbid. */
static void set_limits(const struct plan *p, int report)
{
	/* A dump would hold what the service knows; LimitCORE= asks for it all the same. */
	const struct rlimit no_core = {0, 0};

	if (p->oom_score_adjust_set)
		set_oom_score(p->oom_score_adjust, report);
	if (p->nice_set && setpriority(PRIO_PROCESS, 0, p->nice) < 0)
		fail(report, -errno, "setting the nice value", NULL);
	if (!p->limit_set[RLIMIT_CORE] && setrlimit(RLIMIT_CORE, &no_core) < 0)
		fail(report, -errno, "turning core dumps off", NULL);
	for (int i = 0; i < PLAN_LIMITS; i++) {
		int r = p->limit_set[i] ? set_limit(i, &p->limits[i]) : 0;
		if (r < 0)
			fail(report, r, "setting a resource limit", NULL);
	}
}

/* Loads the filter; returns its listener where @listens.
 *
 * Without SECCOMP_FILTER_FLAG_SPEC_ALLOW: before Linux 5.16 a filter makes the kernel mitigate
 * speculation (PR_SET_SPECULATION_CONTROL: stores bypassed, indirect branches) in what it confines,
 * and since then it does so where its administrator boots with spec_store_bypass_disable=seccomp.
 * It costs there, but in a jail hostile code is what is expected: who wants the speed says so at
 * boot. The service itself may ask for more by prctl(2). */
static int load_filter(const struct sock_fprog *filter, bool listens, int report)
{
	unsigned long flags = listens ? SECCOMP_FILTER_FLAG_NEW_LISTENER | (1ul << 5) : 0;
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, filter);

	if (fd < 0 && errno == EINVAL && listens) /* WAIT_KILLABLE_RECV, 1 << 5, is Linux 5.19 */
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			     filter);
	if (fd < 0)
		fail(report, -errno, "loading the seccomp filter", NULL);
	return (int)fd;
}

/* Hands the listener over, or just says hello; either way the kernel puts the sender's pid, as the
 * caller sees it, beside the message. */
static void greet(const struct plan *p, int ctl, int report)
{
	struct run_message hello = {.type = RUN_HELLO};
	CLEANUP_FD int listener = p->filter ? load_filter(p->filter, true, report) : -1;

	int r = message_send(ctl, &hello, listener);
	if (r < 0)
		fail(report, r, "reaching the caller", NULL);
}

static void set_identity(const struct identity *id, int report)
{
	uid_t u[3];
	gid_t g[3];

	if (setgroups(id->n_groups, id->groups) < 0 || setresgid(id->gid, id->gid, id->gid) < 0 ||
	    setresuid(id->uid, id->uid, id->uid) < 0)
		fail(report, -errno, "changing to the service's user", NULL);
	if (getresuid(&u[0], &u[1], &u[2]) < 0 || getresgid(&g[0], &g[1], &g[2]) < 0)
		fail(report, -errno, "reading the user back", NULL);
	for (int i = 0; i < 3; i++)
		if (u[i] != id->uid || g[i] != id->gid)
			fail(report, -EPERM, "changing to the service's user", NULL);
}

/* By the call itself: a C library lets nobody touch the signals that it keeps for its threads, and
 * posix_spawn(3) of glibc ignores them in what it starts. All of the kernel's structure being 0 is
 * SIG_DFL. */
static void reset_signal(int sig)
{
	static const unsigned long by_default[8];

	/* EINVAL of KILL and STOP; the self-test sees any other failure. */
	syscall(SYS_rt_sigaction, sig, by_default, NULL, _NSIG / 8);
}

static void reset_signals(const struct plan *p)
{
	struct own_status now = {.ignored = ~UINT64_C(0)};
	sigset_t none;

	own_status(&now);
	for (int sig = 1; sig < _NSIG; sig++)
		if ((now.ignored | now.caught) >> (sig - 1) & 1)
			reset_signal(sig);
	if (p->ignore_sigpipe)
		signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static uint64_t capabilities(const struct plan *p)
{
	return p->walls ? p->walls->capabilities & rights_most() : rights_most();
}

/* From here on it is the service's user, with that one's rights and no others. */
static void become(const struct plan *p, bool keep_user, int report)
{
	const struct identity *id = &p->identity;
	uint64_t ambient = keep_user || !id->uid ? 0 : id->ambient & capabilities(p);
	bool root = keep_user || !id->uid;
	int r = 0;

	if (!keep_user) {
		if (p->walls && !root)
			r = rights_lock_root(ambient);
		if (r == 0)
			r = rights_hold_on(ambient);
		if (r == 0)
			set_identity(id, report);
	}
	if (r == 0)
		r = rights_settle(root ? capabilities(p) : ambient, ambient);
	if (r < 0)
		fail(report, r, "giving up rights", NULL);
}

static void tell_wall(const struct selftest_row *row, int report)
{
	const struct run_message m = {.type = RUN_WALL, .wall = *row};

	fd_write_all(report, &m, sizeof(m));
}

static void look_back(const struct plan *p, int report)
{
	struct selftest_row row;
	struct err broken = {0}, *first = &broken;

	for (size_t i = 0; selftest_one(p, report, i, &row); i++) {
		if (p->tell_walls)
			tell_wall(&row, report);
		if (selftest_judge(&row, first) < 0)
			first = NULL; /* the others are told, this one is why */
	}
	if (broken.code < 0)
		fail_with(report, &broken);
}

/* Sockets that the service is handed are its descriptors from 3 on; what is needed here makes room.
 */
#define FIRST_PASSED 3
#define ABOVE_PASSED 64

/* The environment, with LISTEN_PID= as the number of whoever asks. */
static char *const *own_environment(const struct plan *p)
{
	size_t n = 0;

	while (p->envp[n])
		n++;
	char **env = xcalloc(n + 1, sizeof(*env));
	for (size_t i = 0; i < n; i++)
		env[i] = str_after(p->envp[i], "LISTEN_PID=")
			     ? xasprintf("LISTEN_PID=%d", (int)getpid())
			     : p->envp[i];
	return env;
}

/* The process of one connection. */
static NORETURN void execute_on(const struct plan *p, const struct step *s, int connection)
{
	signal(SIGCHLD, SIG_DFL);
	for (int fd = 0; fd < 3; fd++)
		if (dup2(connection, fd) < 0)
			_exit(127);
	close_range(3, ~0u, 0);
	execve(s->program, s->argv, p->envp);
	_exit(127);
}

/* How many processes serve at once, as systemd.socket(5) has it for MaxConnections=. */
#define CONNECTIONS_MAX 64

/* The place of the main command, where each connection gets a process of it. What we are is a
 * program of the host: nobody inside may look into us. */
static NORETURN void serve_connections(const struct plan *p, const struct step *s, int report)
{
	unsigned busy = 0;

	prctl(PR_SET_DUMPABLE, 0);
	close(report); /* as if executed */
	for (;;) {
		while (busy && waitpid(-1, NULL, busy < CONNECTIONS_MAX ? WNOHANG : 0) > 0)
			busy--;
		CLEANUP_FD int connection = accept4(FIRST_PASSED, NULL, NULL, SOCK_CLOEXEC);
		if (connection < 0 && errno != EINTR && errno != ECONNABORTED)
			usleep(10000); /* no room for one more just now */
		pid_t pid = connection < 0 ? -1 : fork();
		if (pid == 0)
			execute_on(p, s, connection);
		busy += pid > 0;
	}
}

static NORETURN void execute(const struct plan *p, const struct step *s, int report)
{
	become(p, s->keep_user, report);
	if (chdir(p->cwd) < 0)
		fail(report, -errno, "changing to the working directory", p->cwd);
	if (p->walls && !s->keep_user)
		look_back(p, report);
	if (p->walls && p->walls->last && !s->keep_user)
		load_filter(p->walls->last, false, report);
	if (p->accepts && s->argv == p->argv)
		serve_connections(p, s, report);
	execve(s->program, s->argv, p->n_pass ? own_environment(p) : p->envp);
	fail(report, -errno, "executing", s->program);
}

static void run_step(const struct plan *p, const struct step *s, int report)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0 && p->n_pass) /* the sockets are the main command's */
		close_range(FIRST_PASSED, FIRST_PASSED + (unsigned)p->n_pass - 1, 0);
	if (pid == 0)
		execute(p, s, report);
	if (pid < 0)
		fail(report, -errno, "starting", s->program);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status == 0 || s->ignore_failure)
		return;
	struct err e = {0};
	if (WIFSIGNALED(status))
		err_set(&e, -ECHILD, "%s, which runs before the service, was ended by signal %d",
			s->program, WTERMSIG(status));
	else
		err_set(&e, -ECHILD,
			"%s, which runs before the service, failed with exit status %d", s->program,
			WEXITSTATUS(status));
	fail_with(report, &e);
}

static int lift(int fd, int report)
{
	int up = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, ABOVE_PASSED);

	if (fd >= 0 && up < 0)
		fail(report, -errno, "descriptors", NULL);
	return up;
}

/* @p becomes a plan of descriptors that are out of the way, then the sockets take their places. */
static void set_passed(struct plan *p, int *ctl, int *report)
{
	if (!p->n_pass)
		return;
	*ctl = lift(*ctl, *report);
	p->user_ns = lift(p->user_ns, *report);
	*report = lift(*report, *report);
	for (int i = 0; i < 3; i++)
		p->stdio[i] = lift(p->stdio[i], *report);
	for (size_t i = 0; i < p->n_pass; i++)
		p->pass[i] = lift(p->pass[i], *report);
	for (size_t i = 0; i < p->n_pass; i++)
		if (dup2(p->pass[i], FIRST_PASSED + (int)i) < 0)
			fail(*report, -errno, "handing over sockets", NULL);
}

static void prepare(const struct plan *p, int ctl, int report)
{
	int keep[6 + PLAN_PASS_MAX] = {0, 1, 2, ctl, report, p->user_ns};

	for (size_t i = 0; i < PLAN_PASS_MAX; i++)
		keep[6 + i] = i < p->n_pass ? FIRST_PASSED + (int)i : -1;
	setsid();
	set_stdio(p, report);
	close_all_but(keep, ARRAY_LEN(keep));
	set_limits(p, report);
	reset_signals(p);
}

/* Steps 3 to 5. */
static void raise_walls(const struct plan *p, bool scoped, int report)
{
	struct err e = {0};
	int r = rights_leave_keyring();

	if (r < 0)
		fail(report, r, "leaving the keyring", NULL);
	if (p->user_ns >= 0) {
		r = users_enter(p->user_ns);
		if (r < 0)
			fail(report, r, "entering the jail's user namespace", NULL);
		close(p->user_ns);
	}
	if (!p->walls)
		return;
	if (p->walls->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		fail(report, -errno, "setting no_new_privs", NULL);
	if (!p->walls->landlock)
		return;
	struct landlock l = *p->walls->landlock;
	l.scoped = scoped;
	if (landlock_confine(&l, p, &e) < 0)
		fail_with(report, &e);
}

static void give_up_rights(const struct plan *p, int report)
{
	int r = rights_bound(capabilities(p));

	if (r < 0)
		fail(report, r, "giving up rights over the host", NULL);
	umask(p->umask);
}

void child_enter(const struct plan *plan, const struct step *s, int ctl, int report)
{
	struct plan own = *plan;
	const struct plan *p = &own;

	own.n_pass = 0; /* what a reload runs is handed nothing */
	own.accepts = false;
	child_forget();
	prepare(p, ctl, report);
	/* What it is to tell something, a reload, is in a scope of its own. */
	raise_walls(p, false, report);
	if (p->walls)
		load_filter(p->filter, false, report);
	else if (ctl >= 0)
		greet(p, ctl, report);
	if (ctl >= 0)
		close(ctl);
	give_up_rights(p, report);
	execute(p, s, report);
}

void child_main(const struct plan *plan, int ctl, int report)
{
	struct plan own = *plan;
	const struct plan *p = &own;

	set_passed(&own, &ctl, &report);
	prepare(p, ctl, report);
	raise_walls(p, true, report);
	greet(p, ctl, report);
	close(ctl);
	give_up_rights(p, report);
	for (size_t i = 0; i < p->n_steps; i++)
		run_step(p, &p->steps[i], report);
	const struct step last = {
	    .argv = p->argv, .program = p->program, .keep_user = p->main_keeps_user};
	execute(p, &last, report);
}
