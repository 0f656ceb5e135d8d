/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cmd/cmd.h"
#include "jail/generation.h"
#include "jail/retain.h"
#include "jail/store.h"

/* Old generations of jails that nobody is at work on. */
static int retain_all(const struct invocation *in, struct err *e)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	int r = jail_names(in->dirs, &names, e);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		if (!retain_generations(in->dirs, names.v[i], true))
			continue; /* nobody is to meet a lock for nothing */
		int lock = jail_lock(in->dirs, names.v[i], NULL);
		if (lock < 0)
			continue;
		retain_generations(in->dirs, names.v[i], false);
		jail_unlock(in->dirs, names.v[i], &lock);
	}
	return r;
}

static int run(const struct invocation *in)
{
	struct store_size size;
	struct err e = {0};
	char text[32];

	if (!in->common->dry_run && retain_all(in, &e) < 0)
		return cmd_fail(&e);
	if (store_collect(in->dirs, in->common->dry_run, &size, &e) < 0)
		return cmd_fail(&e);
	if (in->common->json)
		return cmd_print_json(json_pack("{sI sI sb}", "objects", (json_int_t)size.objects,
						"bytes", (json_int_t)size.bytes, "dry_run",
						in->common->dry_run));
	if (!in->common->quiet)
		printf("%s %zu file%s that no jail has any more, %s\n",
		       in->common->dry_run ? "would remove" : "removed", size.objects,
		       size.objects == 1 ? "" : "s", cmd_size(size.bytes, text, sizeof(text)));
	return EXIT_GOOD;
}

const struct command cmd_gc = {
    .name = "gc",
    .summary = "remove old generations, and stored files that no jail has any more",
    .synopsis = "",
    .needs = NEED_ROOT | TAKES_DRY_RUN,
    .run = run,
};
