/* SPDX-License-Identifier: MIT */
/* The service's process between fork and exec. The order, and why:
 *
 * 1. session, standard streams, descriptors: nothing of ours is left to inherit (runc
 *    CVE-2024-21626: an internal descriptor as a way out).
 * 2. limits, priority: raising them needs rights that the next steps take away.
 * 3. the filter, where the run is watched: loading it without no_new_privs needs CAP_SYS_ADMIN, so
 *    before the user is switched; set-uid programs of the service keep working. Its listener goes
 *    to the caller at once: from here on each call that names a path waits for it.
 * 4. rights over the host itself are given up (rights.h): no program regains them.
 * 5. the commands that come before the main one, each in a process of its own, under the same
 *    filter (a second listener in one tree is EBUSY).
 * 6. groups, gid, uid, in the only order that works; then checked, not believed.
 * 7. cwd (as the user: it may be readable by him alone), umask, exec. */
#include "confine/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "confine/rights.h"

static NORETURN void fail(int report, int code, const char *what, const char *arg)
{
	struct err e = {0};

	err_errno(&e, code, "%s%s%s", what, arg ? " " : "", arg ? arg : "");
	fd_write_all(report, &e, sizeof(e));
	_exit(127);
}

static int compare_int(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

void close_all_but(const int *keep, size_t n)
{
	int sorted[8];
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

/* Loads the filter and hands its listener over, or just says hello; either way the kernel puts the
 * sender's pid, as the caller sees it, beside the message. */
static void greet(const struct plan *p, int ctl, int report)
{
	struct run_message hello = {.type = RUN_HELLO};
	CLEANUP_FD int listener = -1;

	if (p->filter) {
		long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				  SECCOMP_FILTER_FLAG_NEW_LISTENER | (1ul << 5), p->filter);
		if (fd < 0 && errno == EINVAL) /* WAIT_KILLABLE_RECV, 1 << 5, is Linux 5.19 */
			fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				     SECCOMP_FILTER_FLAG_NEW_LISTENER, p->filter);
		if (fd < 0)
			fail(report, -errno, "loading the growth filter", NULL);
		listener = (int)fd;
	}
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

static void reset_signals(const struct plan *p)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &sa, NULL);
	if (p->ignore_sigpipe)
		signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static NORETURN void execute(const struct plan *p, const struct step *s, int report)
{
	if (!s->keep_user)
		set_identity(&p->identity, report);
	if (chdir(p->cwd) < 0)
		fail(report, -errno, "changing to the working directory", p->cwd);
	execve(s->program, s->argv, p->envp);
	fail(report, -errno, "executing", s->program);
}

static void run_step(const struct plan *p, const struct step *s, int report)
{
	int status = 0;
	pid_t pid = fork();

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
	fd_write_all(report, &e, sizeof(e));
	_exit(127);
}

static void prepare(const struct plan *p, int ctl, int report)
{
	const int keep[] = {0, 1, 2, ctl, report};

	setsid();
	set_stdio(p, report);
	close_all_but(keep, ARRAY_LEN(keep));
	set_limits(p, report);
	reset_signals(p);
}

static void give_up_rights(const struct plan *p, int report)
{
	int r = rights_reduce();

	if (r < 0)
		fail(report, r, "giving up rights over the host", NULL);
	umask(p->umask);
}

void child_enter(const struct plan *p, const struct step *s, int report)
{
	prepare(p, -1, report);
	give_up_rights(p, report);
	execute(p, s, report);
}

void child_main(const struct plan *p, int ctl, int report)
{
	prepare(p, ctl, report);
	greet(p, ctl, report);
	close(ctl);
	give_up_rights(p, report);
	for (size_t i = 0; i < p->n_steps; i++)
		run_step(p, &p->steps[i], report);
	const struct step last = {
	    .argv = p->argv, .program = p->program, .keep_user = p->main_keeps_user};
	execute(p, &last, report);
}
