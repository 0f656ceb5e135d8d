/* SPDX-License-Identifier: MIT */
/* start, stop and restart: three small verbs of one module. */
#include <errno.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "jail/running.h"
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

struct restart_opts {
	bool due;
};

static const struct opt restart_rows[] = {
    {"due", 0, NULL, "only jails that run an older generation than their current one", OPT_FLAG,
     offsetof(struct restart_opts, due)},
};

static int restart_one(const struct invocation *in, const char *name)
{
	struct invocation one = *in;
	struct err e = {0};
	int r = service_restart(in->dirs, name, &e);

	one.name = name;
	return finish(&one, r, &e, "restarted", "running already");
}

/* One at a time, each waited ready: what goes wrong is one jail's, and is told. */
static int restart_due(const struct invocation *in)
{
	struct strv names CLEANUP_STRV = STRV_INIT, due CLEANUP_STRV = STRV_INIT;
	struct err e = {0};
	int worst = EXIT_GOOD;

	if (in->name)
		strv_add(&names, in->name);
	else if (jail_names(in->dirs, &names, &e) < 0)
		return cmd_fail(&e);
	for (size_t i = 0; i < names.n; i++)
		if (running_outdated(in->dirs, names.v[i]))
			strv_add(&due, names.v[i]);
	if (in->common->json && due.n != 1)
		cmd_print_json(
		    json_pack("{sb sI}", "changed", due.n > 0, "due", (json_int_t)due.n));
	for (size_t i = 0; i < due.n; i++) {
		int status = restart_one(in, due.v[i]);
		worst = status > worst ? status : worst;
	}
	return worst;
}

static int run_restart_command(const struct invocation *in)
{
	const struct restart_opts *opts = in->options;
	struct err e = {0};

	if (opts->due)
		return restart_due(in);
	if (in->name)
		return restart_one(in, in->name);
	err_set(&e, -EINVAL, "restart needs a name, or --due for all that run an older generation");
	return cmd_fail(&e);
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
    .synopsis = "[NAME] [--due]",
    .more = "A jail that runs and whose ConfigTest= fails is left as it is.",
    .options = restart_rows,
    .n_options = ARRAY_LEN(restart_rows),
    .options_size = sizeof(struct restart_opts),
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME,
    .run = run_restart_command,
};
