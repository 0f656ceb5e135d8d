/* SPDX-License-Identifier: MIT */
/* start, stop and restart: three small verbs of one module. */
#include <errno.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "jail/reload.h"
#include "jail/service.h"

static void say(const struct invocation *in, const char *what)
{
	if (!in->common->quiet && !in->common->json)
		printf("%s: %s\n", in->name, what);
}

static int finish(const struct invocation *in, int r, const struct err *e, const char *done,
		  const char *already)
{
	if (r < 0)
		return cmd_fail(e);
	say(in, r ? already : done);
	if (in->common->json)
		return cmd_print_json(json_pack("{ss sb}", "name", in->name, "changed", r == 0));
	return EXIT_GOOD;
}

static int tell_started(const struct invocation *in)
{
	struct service_status s = {0};
	struct err e;

	if (service_status(in->dirs, in->name, &s, &e) == 0 && s.note[0])
		fprintf(stderr, "immure: %s: %s\n", in->name, s.note);
	if (s.pid)
		printf("%s: started and ready, pid %d\n", in->name, (int)s.pid);
	else
		printf("%s: started\n", in->name);
	return EXIT_GOOD;
}

static int run_start_command(const struct invocation *in)
{
	struct err e = {0};
	int r = service_start(in->dirs, in->name, &e);

	if (r == 0 && !in->common->quiet && !in->common->json)
		return tell_started(in);
	return finish(in, r, &e, "started", "running already");
}

static int run_stop_command(const struct invocation *in)
{
	struct err e = {0};
	int r = service_stop(in->dirs, in->name, &e);

	return finish(in, r, &e, "stopped", "not running");
}

/* ConfigTest= of a jail that runs: where it fails, what runs stays. */
static int test_config(const struct invocation *in, struct err *e)
{
	struct reload_answer a CLEANUP_RELOAD_ANSWER = {0};
	struct service_status s;
	int r = service_status(in->dirs, in->name, &s, e);

	if (r < 0 || s.state != SERVICE_RUNNING)
		return r;
	r = reload_ask(in->dirs, in->name, RELOAD_TEST, &a, e);
	return r == -EREMOTEIO ? r
			       : 0; /* else: what does not answer is all the more to be restarted */
}

static int run_restart_command(const struct invocation *in)
{
	struct err e = {0};
	int r = test_config(in, &e);

	if (r == 0)
		r = service_stop(in->dirs, in->name, &e);
	if (r >= 0)
		r = service_start(in->dirs, in->name, &e);
	return finish(in, r, &e, "restarted", "running already");
}

const struct command cmd_start = {
    .name = "start",
    .summary = "start a jail in the background and wait until it is ready",
    .synopsis = "NAME",
    .min_args = 1,
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME,
    .run = run_start_command,
};

const struct command cmd_stop = {
    .name = "stop",
    .summary = "stop a jail; nothing of it stays",
    .synopsis = "NAME",
    .min_args = 1,
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME,
    .run = run_stop_command,
};

const struct command cmd_restart = {
    .name = "restart",
    .summary = "stop and start",
    .synopsis = "NAME",
    .min_args = 1,
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME,
    .run = run_restart_command,
};
