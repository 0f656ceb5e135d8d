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

static NORETURN void shell(const char *command, char *const *env, const int stdio[3])
{
	char *argv[] = {xstrdup("sh"), xstrdup("-c"), xstrdup(command), NULL};
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
	if (rights_reduce() < 0)
		_exit(126);
	execve("/bin/sh", argv, env);
	_exit(127);
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

static NORETURN void helper(const struct place *p, const char *command, char *const *env,
			    const int stdio[3])
{
	int status;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (p->cgroup)
		cgroup_enter(p->cgroup, getpid());
	if (enter(p) < 0)
		_exit(125);
	pid_t pid = fork();
	if (pid == 0)
		shell(command, env, stdio);
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

int exercise_run(const struct place *p, const char *command, const char *scratch,
		 struct outcome *ret, struct err *e)
{
	struct strv env CLEANUP_STRV = STRV_INIT;
	CLEANUP_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CLEANUP_FD int out = unnamed(scratch);
	CLEANUP_FD int err = unnamed(scratch);
	struct outcome o = {.out = -1, .err = -1};
	double start = clock_now();

	if (null < 0 || out < 0 || err < 0)
		return err_errno(e,
				 out < 0   ? out
				 : err < 0 ? err
					   : -errno,
				 "making files for the exercise's output in %s", scratch);
	make_env(p, &env);
	const int stdio[3] = {null, out, err};
	pid_t pid = fork();
	if (pid == 0)
		helper(p, command, env.v, stdio);
	int r = pid < 0 ? -errno : wait_helper(pid, p->timeout, &o);
	if (r < 0 && pid > 0) {
		kill_session(pid);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	if (r < 0)
		return err_errno(e, r, "running the exercise");
	o.seconds = clock_now() - start;
	o.out = take_fd(&out);
	o.err = take_fd(&err);
	*ret = o;
	return 0;
}

void outcome_done(struct outcome *o)
{
	fd_close(&o->out);
	fd_close(&o->err);
}
