/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cmd/cmd.h"
#include "jail/store.h"

static int run(const struct invocation *in)
{
	struct store_size size;
	struct err e = {0};
	char text[32];

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
    .summary = "remove stored files that no jail has any more",
    .synopsis = "",
    .needs = NEED_ROOT | TAKES_DRY_RUN,
    .run = run,
};
