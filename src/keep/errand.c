/* SPDX-License-Identifier: MIT */
#include "keep/errand.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "keep/again.h"

static const char *const names[] = {
    [ERRAND_STARTED] = "started",
    [ERRAND_STOP] = "stop",
    [ERRAND_STOPPED] = "stopped",
};

const char *errand_name(enum errand_which w)
{
	return w < ARRAY_LEN(names) ? names[w] : NULL;
}

int errand_find(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(word, names[i]) == 0)
			return (int)i;
	return -1;
}

void errand_set_apart(void)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
}

/* The environment is whoever's started us: it says in which directories the jail is. What a manager
 * is told, an errand does not tell. */
static NORETURN void become(const struct errand *a, char **argv)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	errand_set_apart();
	unsetenv("NOTIFY_SOCKET");
	int out = fcntl(a->log, F_DUPFD_CLOEXEC, 3), err = fcntl(a->say, F_DUPFD_CLOEXEC, 3);
	if (dup2(null, 0) < 0 || dup2(out < 0 ? null : out, 1) < 0 ||
	    dup2(err < 0 ? null : err, 2) < 0)
		_exit(126);
	if (a->users >= 0)
		fcntl(a->users, F_SETFD, 0);
	fexecve(a->program, argv, environ);
	_exit(127);
}

int errand_begin(const struct errand *a, enum errand_which which, double seconds,
		 struct errand_run *ret)
{
	char limit[32], users[12], exited[12], name[80], program[] = "immure", verb[] = "errand";
	char word[12], result[24];

	snprintf(name, sizeof(name), "%s", a->name);
	snprintf(word, sizeof(word), "%s", names[which]);
	snprintf(result, sizeof(result), "%s", a->result);
	snprintf(limit, sizeof(limit), "%.3f", seconds);
	snprintf(users, sizeof(users), a->users < 0 ? "none" : "%d", a->users);
	snprintf(exited, sizeof(exited), a->exited ? "%d" : "none", a->status);
	char *argv[] = {program, verb, name, word, limit, users, result, exited, NULL};

	ret->pid = fork();
	if (ret->pid == 0)
		become(a, argv);
	if (ret->pid < 0)
		return -errno;
	ret->fd = pidfd_open(ret->pid, 0);
	return 0;
}

int errand_end(struct errand_run *r)
{
	bool late = !fd_readable(r->fd);
	int status = 0;

	if (late)
		kill(r->pid, SIGKILL); /* our child, not reaped: the number is its own */
	while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
		;
	fd_close(&r->fd);
	if (late)
		return -ETIME;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

#define FOR_EVER_S 1e6

double errand_limit(double seconds)
{
	return seconds > 0 && seconds < FOR_EVER_S ? seconds : 0;
}

double errand_share(double limit, double spent, unsigned tenths)
{
	double left = limit * tenths / 10 - spent;

	if (limit <= 0)
		return 0;
	return left > 0.01 ? left : 0.01;
}

const char *errand_result(const struct run *r, const struct again *a)
{
	if (!r->main_exited || again_end_by(a, r->main_status) == END_CLEAN)
		return "success";
	if (!WIFSIGNALED(r->main_status))
		return "exit-code";
	return WCOREDUMP(r->main_status) ? "core-dump" : "signal";
}
