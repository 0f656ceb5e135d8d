/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cmd/cmd.h"
#include "cmd/place.h"
#include "jail/labels.h"
#include "jail/service.h"
#include "jail/store.h"

struct remove_opts {
	bool state;
};

/* State is the host's own, but for what jails share by name. */
static const struct opt rows[] = {
    {"state", 0, NULL, "state that only the jail has, too (what is the host's own stays)", OPT_FLAG,
     offsetof(struct remove_opts, state)},
};

static bool has_spec(const struct invocation *in)
{
	CLEANUP_STR char *path = xasprintf("%s/%s.conf", in->dirs->config, in->name);
	return access(path, F_OK) == 0;
}

static int tell(const struct invocation *in, bool dry)
{
	if (in->common->json)
		return cmd_print_json(
		    json_pack("{ss sb sb}", "name", in->name, "changed", !dry, "dry_run", dry));
	if (!in->common->quiet)
		printf("%s: %s %s/jails/%s and %s/%s.conf; the service's own data stays\n",
		       in->name, dry ? "would remove" : "removed", in->dirs->state, in->name,
		       in->dirs->config, in->name);
	return EXIT_GOOD;
}

static int give_back(const struct invocation *in, struct err *e)
{
	struct spec *s CLEANUP_SPEC = NULL;

	return has_spec(in) && spec_load(in->dirs->config, in->name, &s, NULL) == 0
		   ? place_give_back(s, e)
		   : 0;
}

static int run(const struct invocation *in)
{
	struct store_size dropped;
	struct err e = {0};

	if (!generation_number(in->dirs, in->name) && !has_spec(in)) {
		err_set(&e, -ENOENT, "no jail named '%s'", in->name);
		return cmd_fail(&e);
	}
	if (in->common->dry_run)
		return tell(in, true);
	int status = EXIT_GOOD, lock = cmd_lock(in, &status);

	if (lock < 0)
		return status;
	const struct remove_opts *opts = in->options;
	struct strv shared CLEANUP_STRV = STRV_INIT;
	/* First the place: a unit that runs a jail which is no more would run nothing. */
	int r = give_back(in, &e);
	if (r == 0 && generation_number(in->dirs, in->name))
		r = service_stop(in->dirs, in->name, &e);
	if (r >= 0 && opts->state)
		labels_of(in->dirs, in->name, &shared);
	if (r >= 0)
		r = jail_delete(in->dirs, in->name, &e);
	if (r == 0)
		r = labels_remove(in->dirs, &shared, &e);
	if (r == 0)
		r = store_collect(in->dirs, false, &dropped, &e);
	logging_forget(in->dirs->run, in->name);
	jail_unlock(in->dirs, in->name, &lock);
	return r < 0 ? cmd_fail(&e) : tell(in, false);
}

const struct command cmd_remove = {
    .name = "remove",
    .summary = "stop a jail and remove it with its spec; the service's data stays",
    .synopsis = "NAME [--state]",
    .options = rows,
    .n_options = ARRAY_LEN(rows),
    .options_size = sizeof(struct remove_opts),
    .min_args = 1,
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME | TAKES_DRY_RUN,
    .run = run,
};
