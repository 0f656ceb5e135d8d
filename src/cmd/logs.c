/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "cmd/cmd.h"
#include "jail/generation.h"

/* The service wrote it: nothing of it may reach the terminal raw. */
static void print_lines(FILE *f, json_t *list)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	while ((n = getline(&line, &room, f)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if (!line[i])
				line[i] = '?';
		line[n - (line[n - 1] == '\n')] = '\0';
		str_printable(line);
		if (list)
			json_array_append_new(list, json_string(line));
		else
			puts(line);
	}
	free(line);
}

static int run(const struct invocation *in)
{
	struct generation g CLEANUP_GENERATION = GENERATION_INIT;
	CLEANUP_STR char *path = xasprintf("%s/jails/%s/output.log", in->dirs->state, in->name);
	struct err e = {0};

	if (generation_load(in->dirs, in->name, &g, &e) < 0)
		return cmd_fail(&e);
	FILE *f = fopen(path, "re");
	if (!f && errno != ENOENT) {
		err_errno(&e, -errno, "opening %s", path);
		return cmd_fail(&e);
	}
	json_t *list = in->common->json ? json_array() : NULL;
	if (f) {
		print_lines(f, list);
		fclose(f);
	}
	if (list)
		return cmd_print_json(json_pack("{ss so}", "name", in->name, "lines", list));
	return EXIT_GOOD;
}

const struct command cmd_logs = {
    .name = "logs",
    .summary = "what a jailed service printed",
    .synopsis = "NAME",
    .min_args = 1,
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME,
    .run = run,
};
