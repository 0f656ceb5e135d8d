/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "confine/host-walls.h"

struct check_opts {
	bool host;
};

static const struct opt rows[] = {
    {"host", 0, NULL, "what this kernel can enforce", OPT_FLAG, offsetof(struct check_opts, host)},
};

static const char *const kinds[] = {[WALL_REQUIRED] = "required", [WALL_EXTRA] = "extra"};

static void print_wall(const struct host_wall *w, int result)
{
	printf("%-18s %-9s %-5s %-7s%s%s\n", w->name, kinds[w->kind], result ? "no" : "yes",
	       w->since, result ? " " : "", result ? strerror(-result) : "");
}

static json_t *wall_to_json(const struct host_wall *w, int result)
{
	json_t *j = json_pack("{ss ss sb ss}", "name", w->name, "kind", kinds[w->kind], "here",
			      result == 0, "since", w->since);

	if (result)
		json_object_set_new(j, "error", cmd_json_string(strerror(-result)));
	return j;
}

/* What is missing and stops every start, told in one line. */
static int verdict(const struct strv *missing)
{
	struct err e = {0};

	if (missing->n == 0)
		return EXIT_GOOD;
	err_set(&e, -EREMOTEIO,
		"nothing can be jailed on this host: the kernel lacks, or refuses,");
	for (size_t i = 0; i < missing->n; i++) {
		size_t used = strlen(e.msg);
		snprintf(e.msg + used, sizeof(e.msg) - used, "%s %s", i ? "," : "", missing->v[i]);
	}
	return cmd_fail(&e);
}

static int check_host(const struct invocation *in)
{
	struct strv missing CLEANUP_STRV = STRV_INIT;
	bool table = !in->common->json && !in->common->quiet;
	json_t *list = json_array();
	size_t n;
	const struct host_wall *walls = host_walls(&n);

	if (table)
		printf("%-18s %-9s %-5s %-7s\n", "WALL", "KIND", "HERE", "SINCE");
	for (size_t i = 0; i < n; i++) {
		int result = host_wall_try(&walls[i]);
		if (result && walls[i].kind == WALL_REQUIRED)
			strv_add(&missing, walls[i].name);
		if (table)
			print_wall(&walls[i], result);
		json_array_append_new(list, wall_to_json(&walls[i], result));
	}
	if (in->common->json)
		cmd_print_json(json_pack("{sO sb}", "walls", list, "good", missing.n == 0));
	json_decref(list);
	return verdict(&missing);
}

static int run(const struct invocation *in)
{
	const struct check_opts *opts = in->options;
	struct err e = {0};

	if (in->given->args.n)
		err_set(&e, -EINVAL,
			"this version checks the host only, no jail: immure check --host");
	else if (!opts->host)
		err_set(&e, -EINVAL, "check what? immure check --host");
	else
		return check_host(in);
	return cmd_fail(&e);
}

const struct command cmd_check = {
    .name = "check",
    .summary = "what this kernel can enforce",
    .synopsis = "--host",
    .more = "Each wall is tried. Exit status 1 where one is missing without which nothing starts.",
    .options = rows,
    .n_options = ARRAY_LEN(rows),
    .options_size = sizeof(struct check_opts),
    .max_args = 1,
    .needs = NEED_ROOT,
    .run = run,
};
