/* SPDX-License-Identifier: MIT */
#include "jail/reload.h"

#include <stdio.h>

#include "base/alloc.h"
#include "cmd/cmd.h"

static json_t *texts(const struct strv *list)
{
	json_t *j = json_array();

	for (size_t i = 0; i < list->n; i++)
		json_array_append_new(j, cmd_json_string(list->v[i]));
	return j;
}

static void print_paths(const char *title, const struct strv *paths)
{
	for (size_t i = 0; i < paths->n; i++) {
		CLEANUP_STR char *path = str_printable(xstrdup(paths->v[i]));
		printf("%s %s\n", title, path);
	}
}

static int run(const struct invocation *in)
{
	struct reload_answer a CLEANUP_RELOAD_ANSWER = {0};
	struct err e = {0};
	int r = reload_jail(in->dirs, in->name, RELOAD_TELL, &a, &e);

	if (r < 0)
		return cmd_fail(&e);
	if (in->common->json)
		return cmd_print_json(json_pack("{ss sb so so so}", "name", in->name, "changed", 1,
						"renewed", texts(&a.renewed), "gone",
						texts(&a.gone), "added", texts(&a.added)));
	if (in->common->quiet)
		return EXIT_GOOD;
	printf("%s: reloaded\n", in->name);
	print_paths("  new in the jail:", &a.added);
	print_paths("  renewed in the jail:", &a.renewed);
	print_paths("  gone from the host, the jail's copy stays:", &a.gone);
	return EXIT_GOOD;
}

const struct command cmd_reload = {
    .name = "reload",
    .summary = "bring a running jail to the host's configuration, and tell the service",
    .synopsis = "NAME",
    .more =
	"Renews single configuration files and secrets, brings in what the configuration has come\n"
	"to need, follows links to content anew, runs ConfigTest=, and only where that succeeds\n"
	"ExecReload= (without one: SIGHUP).",
    .min_args = 1,
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME,
    .run = run,
};
