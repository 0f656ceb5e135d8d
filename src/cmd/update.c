/* SPDX-License-Identifier: MIT */
/* immure update: what the host has newer becomes a generation of its own, proved, or stays aside.
 */
#include <errno.h>
#include <stdio.h>

#include "base/alloc.h"
#include "cmd/build.h"
#include "cmd/cmd.h"
#include "jail/command.h"
#include "jail/diff.h"
#include "jail/running.h"
#include "jail/service.h"
#include "jail/upgrade.h"

struct update_opts {
	bool restart, automatic;
};

static const struct opt rows[] = {
    {"restart", 0, NULL, "restart jails that run an older generation, one after the other",
     OPT_FLAG, offsetof(struct update_opts, restart)},
    {"auto", 0, NULL,
     "after a package upgrade, once it is over, as each jail's Update= says: for a timer", OPT_FLAG,
     offsetof(struct update_opts, automatic)},
};

struct outcome_row {
	const char *name;
	int before, after; /* generations */
	bool failed, restart_needed, restarted;
	bool busy;	  /* another command was changing it: not tried */
	char reason[160]; /* what changed most, for people */
};

/* The first thing that the new generation has different from the one before; where that is the
 * same, from the one that runs. */
static void explain(const struct invocation *in, struct outcome_row *row)
{
	struct generation a CLEANUP_GENERATION = GENERATION_INIT;
	struct generation b CLEANUP_GENERATION = GENERATION_INIT;
	struct changes c CLEANUP_CHANGES = {0};
	struct running r = {.generation = row->before};

	if (row->before == row->after)
		running_read(in->dirs, row->name, &r);
	if (generation_load_number(in->dirs, row->name, r.generation, &a, NULL) < 0 ||
	    generation_load_number(in->dirs, row->name, row->after, &b, NULL) < 0 ||
	    diff_generations(&a, &b, &c, NULL) < 0)
		return;
	snprintf(row->reason, sizeof(row->reason), "the same files, proved anew");
	if (!c.n)
		return;
	CLEANUP_STR char *what = str_printable(xstrdup(c.v[0].what));
	CLEANUP_STR char *text = str_printable(xstrdup(c.v[0].text));
	snprintf(row->reason, sizeof(row->reason), "%.70s%s%.80s", what, *text ? " " : "", text);
}

static int rebuild(const struct invocation *in, const char *name)
{
	struct spec *s CLEANUP_SPEC = NULL;
	struct command_set c CLEANUP_COMMAND_SET = COMMAND_SET_INIT;
	struct common quiet = *in->common;
	struct invocation one = *in;
	struct err e = {0};

	quiet.quiet = true;
	quiet.json = false;
	one.common = &quiet;
	one.name = name;
	int r = spec_load(in->dirs->config, name, &s, &e);
	if (r == 0)
		r = spec_check(s, &e);
	if (r == 0)
		r = command_set_make(s, &c, &e);
	return r < 0 ? cmd_fail(&e) : build_spec(&one, s, false, &c.notes);
}

/* One that was proved and does not come up is none: the generation before it runs again. */
static int go_back(const struct invocation *in, struct outcome_row *row)
{
	struct err e = {0};

	if (row->before == row->after ||
	    generation_switch(in->dirs, row->name, row->before, &e) < 0)
		return EXIT_HOST;
	row->after = row->before;
	row->failed = true;
	upgrade_failed(in->dirs, row->name, &e);
	if (service_start(in->dirs, row->name, &e) < 0)
		cmd_fail(&e);
	return EXIT_NO;
}

static int restart(const struct invocation *in, struct outcome_row *row)
{
	struct err e = {0};
	int r = service_restart(in->dirs, row->name, &e);

	row->restarted = r >= 0;
	row->restart_needed = r < 0;
	if (r >= 0)
		return EXIT_GOOD;
	int status = cmd_fail(&e);
	return running_held(in->dirs, row->name) ? status : go_back(in, row);
}

static enum update wish_of(const struct invocation *in, const char *name)
{
	struct generation g CLEANUP_GENERATION = GENERATION_INIT;
	struct spec *s CLEANUP_SPEC = NULL;

	if (generation_load(in->dirs, name, &g, NULL) < 0 ||
	    spec_load(in->dirs->config, name, &s, NULL) < 0)
		return UPDATE_NOTIFY;
	return upgrade_wish(s, &g.layout);
}

static void note_outcome(const struct invocation *in, const struct outcome_row *row)
{
	struct err e = {0};

	if (!row->failed)
		upgrade_proved(in->dirs, row->name);
	else if (upgrade_failed(in->dirs, row->name, &e) < 0)
		cmd_fail(&e);
}

static bool is_busy(const struct invocation *in, const char *name)
{
	int lock = jail_lock(in->dirs, name, NULL);
	bool busy = lock == -EBUSY;

	jail_unlock(in->dirs, name, &lock);
	return busy;
}

static int update_one(const struct invocation *in, struct outcome_row *row)
{
	const struct update_opts *opts = in->options;

	row->before = generation_number(in->dirs, row->name);
	if (!row->before) {
		struct err e = {0};
		err_set(&e, -ENOENT, "no jail named '%s'", row->name);
		return cmd_fail(&e);
	}
	enum update wish = opts->automatic ? wish_of(in, row->name) : UPDATE_BUILD;
	int status = wish == UPDATE_NOTIFY ? EXIT_GOOD : rebuild(in, row->name);
	row->failed = status != EXIT_GOOD;
	row->busy = row->failed && is_busy(in, row->name);
	row->after = generation_number(in->dirs, row->name);
	row->restart_needed = running_outdated(in->dirs, row->name);
	if (row->after != row->before || row->restart_needed)
		explain(in, row);
	if (wish != UPDATE_NOTIFY && !row->busy)
		note_outcome(in, row);
	bool now = opts->restart || wish == UPDATE_RESTART;
	return status == EXIT_GOOD && row->restart_needed && now ? restart(in, row) : status;
}

static void print_row(const struct outcome_row *r)
{
	if (r->failed)
		printf("%s: NOT updated: generation %d stays\n", r->name, r->before);
	else if (r->after == r->before)
		printf("%s: unchanged, generation %d\n", r->name, r->before);
	else
		printf("%s: updated, generation %d to %d: %s\n", r->name, r->before, r->after,
		       r->reason);
	if (r->restarted)
		printf("  restarted\n");
	else if (r->restart_needed)
		printf("  it still runs an older one (%s): immure restart %s\n", r->reason,
		       r->name);
}

static json_t *row_to_json(const struct outcome_row *r)
{
	return json_pack("{ss sb sb si sb sb ss}", "name", r->name, "changed",
			 r->after != r->before, "proved", !r->failed, "generation", r->after,
			 "restart_needed", r->restart_needed, "restarted", r->restarted, "reason",
			 r->reason);
}

static int tell_plan(const struct invocation *in, const struct strv *names)
{
	for (size_t i = 0; i < names->n; i++)
		printf(
		    "would look whether the host has changed under %s, build and prove it anew if "
		    "so\n",
		    names->v[i]);
	return in->common->json ? cmd_print_json(json_pack("{sb}", "dry_run", 1)) : EXIT_GOOD;
}

static int update_all(const struct invocation *in, const struct strv *names, bool *ret_busy)
{
	json_t *list = json_array();
	int worst = EXIT_GOOD;

	for (size_t i = 0; i < names->n; i++) {
		struct outcome_row row = {.name = names->v[i]};
		int status = update_one(in, &row);
		worst = status > worst ? status : worst;
		*ret_busy |= row.busy;
		if (!row.before)
			continue;
		if (in->common->json)
			json_array_append_new(list, row_to_json(&row));
		else if (!in->common->quiet)
			print_row(&row);
	}
	if (in->common->json)
		cmd_print_json(json_pack("{sO}", "jails", list));
	json_decref(list);
	return worst;
}

static int run(const struct invocation *in)
{
	const struct update_opts *opts = in->options;
	const struct strv *names = &in->given->args;
	struct strv all CLEANUP_STRV = STRV_INIT;
	struct timespec mark;
	struct err e = {0};
	bool busy = false;

	if (opts->automatic && upgrade_look(in->dirs, &mark) != UPGRADE_DUE)
		return in->common->json ? cmd_print_json(json_pack("{s[]}", "jails")) : EXIT_GOOD;
	if (!names->n) {
		if (jail_names(in->dirs, &all, &e) < 0)
			return cmd_fail(&e);
		names = &all;
	}
	if (in->common->dry_run)
		return tell_plan(in, names);
	int status = update_all(in, names, &busy);
	/* What was not proved is noted with its jail: the next upgrade marks again. What was not
	 * tried is, a minute from now. */
	if (opts->automatic && names == &all && !busy)
		upgrade_taken(in->dirs, &mark);
	return status;
}

const struct command cmd_update = {
    .name = "update",
    .summary = "bring jails to what the host has now, proved",
    .synopsis = "[NAME...] [--restart] [--auto]",
    .more =
	"Where files of the host have changed since the jail was sealed, a new generation is built "
	"and proved\nwith the recorded exercise, and becomes the current one; where the proof "
	"fails the present one stays.\nWithout names: all jails.",
    .options = rows,
    .n_options = ARRAY_LEN(rows),
    .options_size = sizeof(struct update_opts),
    .max_args = 1000,
    .needs = NEED_ROOT | TAKES_DRY_RUN,
    .run = run,
};
