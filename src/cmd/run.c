/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/ending.h"
#include "cmd/cmd.h"
#include "jail/service.h"

static int run(const struct invocation *in)
{
	struct err e = {0};
	int status = 0;
	int r = service_run(in->dirs, in->name, &status, &e);

	if (r < 0)
		return cmd_fail(&e);
	ending_as(status);
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

static int adopt(const struct invocation *in)
{
	struct err e = {0};
	int status = 0;
	int r = service_adopt(in->dirs, in->name, atoi(in->given->args.v[1]), &status, &e);

	if (r < 0)
		return cmd_fail(&e);
	ending_as(status);
}

/* For the short way of `immure run` alone (launch/short.h). */
const struct command cmd_adopt = {
    .name = "adopt",
    .synopsis = "NAME DESCRIPTOR",
    .min_args = 2,
    .max_args = 2,
    .needs = NEED_ROOT | NEED_NAME,
    .run = adopt,
};
