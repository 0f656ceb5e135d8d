/* SPDX-License-Identifier: MIT */
/* A helper process enters the world (mounts last: by then /proc is the world's; the pid namespace
 * takes effect for its child only), forks the shell, waits for it, and ends as it ended.
 * The shell leads a process group of its own. Whatever it leaves running dies with the twin. */
#include "jail/exercise.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "confine/cgroup.h"
#include "confine/rights.h"
#include "spec/env-file.h"

static void make_env(const struct place *p, struct strv *env)
{
	static const char *const fixed[] = {
	    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	    "LC_ALL=C.UTF-8",
	    "HOME=/root",
	    "USER=root",
	    "LOGNAME=root",
	    "SHELL=/bin/sh",
	};
	pid_t inside = 0;

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		env_put(env, fixed[i]);
	for (size_t i = 0; p->environment && i < p->environment->n; i++)
		env_put(env, p->environment->v[i]);
	run_main(p->run, &inside);
	strv_take(env, xasprintf("IMMURE_ROOT=%s", p->root));
	strv_take(env, xasprintf("IMMURE_PID=%d", inside));
}

struct shell {
	const char *command;
	char *const *env;
};

static int shell(const void *arg)
{
	const struct shell *sh = arg;
	char *argv[] = {xstrdup("sh"), xstrdup("-c"), xstrdup(sh->command), NULL};

	execve("/bin/sh", argv, sh->env);
	return 127;
}

static NORETURN void carry_out(int (*act)(const void *), const void *arg, const int stdio[3])
{
	sigset_t none;

	setsid();
	for (int i = 0; i < 3; i++)
		if (dup2(stdio[i], i) < 0)
			_exit(126);
	close_range(3, ~0u, 0);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
	/* It shares the service's pid namespace: rights that the service lacks could be taken over.
	 */
	if (rights_reduce(rights_most()) < 0)
		_exit(126);
	_exit(act(arg));
}

static int enter(const struct place *p)
{
	const struct {
		int fd, type;
	} ns[] = {
	    {p->run->init_fd, CLONE_NEWPID},  {p->world->ipc_ns, CLONE_NEWIPC},
	    {p->world->uts_ns, CLONE_NEWUTS}, {p->world->net_ns, CLONE_NEWNET},
	    {p->world->mnt_ns, CLONE_NEWNS},
	};

	for (size_t i = 0; i < ARRAY_LEN(ns); i++)
		if (setns(ns[i].fd, ns[i].type) < 0)
			return -errno;
	return chdir("/") < 0 ? -errno : 0;
}

static NORETURN void helper(const struct place *p, int (*act)(const void *), const void *arg,
			    const int stdio[3])
{
	int status;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Until it executes something else, its memory is a copy of ours. */
	prctl(PR_SET_DUMPABLE, 0);
	if (p->cgroup)
		cgroup_enter(p->cgroup, getpid());
	if (enter(p) < 0)
		_exit(125);
	pid_t pid = fork();
	if (pid == 0)
		carry_out(act, arg, stdio);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			_exit(125);
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

static int unnamed(const char *scratch)
{
	int fd = open(scratch, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/* The shell: the only child of the helper, its own group's and session's leader. */
static void kill_session(pid_t helper_pid)
{
	pid_t leader = run_first_child(helper_pid);

	if (leader > 1)
		kill(-leader, SIGKILL);
}

static int wait_helper(pid_t pid, double timeout, struct outcome *o)
{
	CLEANUP_FD int fd = pidfd_open(pid, 0);
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	double end = clock_now() + timeout;
	int status = 0, n;

	while (fd >= 0) {
		double left = end - clock_now();
		n = left <= 0 ? 0 : poll(&pfd, 1, (int)(left * 1000) + 1);
		if (n > 0)
			break;
		if (n < 0 && errno == EINTR)
			return -EINTR; /* the user wants it to end; so does whoever called */
		if (n == 0) {
			o->timed_out = true;
			kill_session(pid);
			/* A shell that somebody traces stays a zombie: its waiter is ours to end.
			 */
			if (poll(&pfd, 1, 1000) <= 0)
				kill(pid, SIGKILL);
			break;
		}
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	o->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return 0;
}

int outcome_open(const char *scratch, struct outcome *ret, struct err *e)
{
	*ret = (struct outcome){.out = unnamed(scratch), .err = unnamed(scratch)};
	int r = ret->out < 0 ? ret->out : ret->err < 0 ? ret->err : 0;

	if (r == 0)
		return 0;
	outcome_done(ret);
	return err_errno(e, r, "making files for the exercise's output in %s", scratch);
}

int exercise_act(const struct place *p, int (*act)(const void *arg), const void *arg,
		 const char *scratch, struct outcome *ret, struct err *e)
{
	CLEANUP_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct outcome o;
	double start = clock_now();

	if (null < 0)
		return err_errno(e, -errno, "opening /dev/null");
	int r = outcome_open(scratch, &o, e);
	if (r < 0)
		return r;
	const int stdio[3] = {null, o.out, o.err};
	pid_t pid = fork();
	if (pid == 0)
		helper(p, act, arg, stdio);
	r = pid < 0 ? -errno : wait_helper(pid, p->timeout, &o);
	if (r < 0 && pid > 0) {
		kill_session(pid);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	if (r < 0) {
		outcome_done(&o);
		return err_errno(e, r, "running the exercise");
	}
	o.seconds = clock_now() - start;
	*ret = o;
	return 0;
}

int exercise_run(const struct place *p, const char *command, const char *scratch,
		 struct outcome *ret, struct err *e)
{
	struct strv env CLEANUP_STRV = STRV_INIT;

	make_env(p, &env);
	const struct shell sh = {command, env.v};
	return exercise_act(p, shell, &sh, scratch, ret, e);
}

void outcome_done(struct outcome *o)
{
	fd_close(&o->out);
	fd_close(&o->err);
}
