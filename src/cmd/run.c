/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "jail/service.h"

/* Ends as the service ended, by the same signal too: init systems tell the two apart. */
static int end_as(int status)
{
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	const struct rlimit no_core = {0, 0};
	sigset_t set;
	int sig = WTERMSIG(status);

	setrlimit(RLIMIT_CORE, &no_core);
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(sig);
	return 128 + sig;
}

static int run(const struct invocation *in)
{
	struct err e = {0};
	int status = 0;
	int r = service_run(in->dirs, in->name, &status, &e);

	return r < 0 ? cmd_fail(&e) : end_as(status);
}

const struct command cmd_run = {
    .name = "run",
    .summary = "run a jail in the foreground, as an init system wants it",
    .synopsis = "NAME",
    .more = "Signals are passed on to the service; the exit status is the service's.",
    .min_args = 1,
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME,
    .run = run,
};

static int resume(const struct invocation *in)
{
	struct err e = {0};

	service_resume(in->dirs, in->name, atoi(in->given->args.v[1]), &e);
	return cmd_fail(&e);
}

/* For the keeper alone, hence in no list. */
const struct command cmd_resume = {
    .name = "resume",
    .synopsis = "NAME DESCRIPTOR",
    .min_args = 2,
    .max_args = 2,
    .needs = NEED_ROOT | NEED_NAME,
    .run = resume,
};
