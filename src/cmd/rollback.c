/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "jail/generation.h"
#include "jail/running.h"

static int tell(const struct invocation *in, int from, int to, bool done)
{
	bool runs = running_held(in->dirs, in->name);

	if (in->common->json)
		return cmd_print_json(json_pack("{ss si si sb sb}", "name", in->name, "from", from,
						"generation", to, "changed", done, "restart_needed",
						done && runs));
	if (in->common->quiet)
		return EXIT_GOOD;
	printf("%s: %s from generation %d to %d: its files and its policy; data, logs and "
	       "configuration stay as they are\n",
	       in->name, done ? "rolled back" : "would roll back", from, to);
	if (done && runs)
		printf("  it still runs the other one: immure restart %s\n", in->name);
	return EXIT_GOOD;
}

static int run(const struct invocation *in)
{
	struct err e = {0};
	int status = EXIT_GOOD, lock = cmd_lock(in, &status);

	if (lock < 0)
		return status;
	int current = generation_number(in->dirs, in->name),
	    to = generation_before(in->dirs, in->name, current), r = 0;
	if (!current)
		r = err_set(&e, -ENOENT, "no jail named '%s'", in->name);
	else if (!to)
		r = err_set(&e, -ENOENT, "%s has no generation before %d", in->name, current);
	else if (!in->common->dry_run)
		r = generation_switch(in->dirs, in->name, to, &e);
	jail_unlock(in->dirs, in->name, &lock);
	return r < 0 ? cmd_fail(&e) : tell(in, current, to, !in->common->dry_run);
}

const struct command cmd_rollback = {
    .name = "rollback",
    .summary = "go back to the generation before",
    .synopsis = "NAME",
    .more = "Brings back programs and policy, never data. What runs goes on until `immure restart "
	    "NAME`.",
    .min_args = 1,
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME | TAKES_DRY_RUN,
    .run = run,
};
