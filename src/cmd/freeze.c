/* SPDX-License-Identifier: MIT */
/* freeze and thaw: two small verbs of one module. */
#include <errno.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "jail/freeze.h"

static int set(const struct invocation *in, bool frozen)
{
	struct err e = {0};
	int r = freeze_set(in->dirs, in->name, frozen, &e);

	if (r == -ESRCH)
		e.code = -EREMOTEIO; /* the answer is no */
	if (r < 0)
		return cmd_fail(&e);
	if (in->common->json)
		return cmd_print_json(
		    json_pack("{ss sb sb}", "name", in->name, "changed", r == 0, "frozen", frozen));
	if (!in->common->quiet)
		printf("%s: %s%s\n", in->name, frozen ? "frozen" : "thawed", r ? " already" : "");
	return EXIT_GOOD;
}

static int run_freeze(const struct invocation *in)
{
	return set(in, true);
}

static int run_thaw(const struct invocation *in)
{
	return set(in, false);
}

const struct command cmd_freeze = {
    .name = "freeze",
    .summary = "halt all processes of a running jail, as they are",
    .synopsis = "NAME",
    .more = "By its control group: they notice nothing but the time. `immure thaw` lets them go "
	    "on;\n`immure stop` stops a frozen jail too. `immure shell` looks into one.",
    .min_args = 1,
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME,
    .run = run_freeze,
};

const struct command cmd_thaw = {
    .name = "thaw",
    .summary = "let a frozen jail go on",
    .synopsis = "NAME",
    .min_args = 1,
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME,
    .run = run_thaw,
};
