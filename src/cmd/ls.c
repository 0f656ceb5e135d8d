/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/status.h"

struct row {
	struct service_status status;
	struct cost held;
};

static int measure(const struct invocation *in, const char *name, struct row *row, struct err *e)
{
	struct generation g CLEANUP_GENERATION = GENERATION_INIT;
	int r = service_status(in->dirs, name, &row->status, e);

	if (r == 0)
		r = generation_load(in->dirs, name, &g, e);
	row->held = g.held;
	return r;
}

static void print_row(const char *name, const struct row *row)
{
	char size[32];

	printf("%-20s %-8s %7d %10d %7zu %10s\n", name, service_state_name(row->status.state),
	       (int)row->status.pid, row->status.generation, row->held.files,
	       cmd_size(row->held.bytes, size, sizeof(size)));
}

static json_t *row_to_json(const char *name, const struct row *row)
{
	json_t *j = status_to_json(name, &row->status);
	json_object_set_new(j, "files", json_integer((json_int_t)row->held.files));
	json_object_set_new(j, "bytes", json_integer(row->held.bytes));
	return j;
}

static int run(const struct invocation *in)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	struct err e = {0};
	int status = EXIT_GOOD;

	if (jail_names(in->dirs, &names, &e) < 0)
		return cmd_fail(&e);
	json_t *list = json_array();
	if (!in->common->json && !in->common->quiet && names.n)
		printf("%-20s %-8s %7s %10s %7s %10s\n", "NAME", "STATE", "PID", "GENERATION",
		       "FILES", "SIZE");
	for (size_t i = 0; i < names.n; i++) {
		struct row row = {0};
		if (measure(in, names.v[i], &row, &e) < 0)
			status = cmd_fail(&e);
		else if (in->common->json)
			json_array_append_new(list, row_to_json(names.v[i], &row));
		else
			print_row(names.v[i], &row);
	}
	if (in->common->json)
		cmd_print_json(json_pack("{sO}", "jails", list));
	json_decref(list);
	return status;
}

const struct command cmd_ls = {
    .name = "ls",
    .summary = "all jails",
    .synopsis = "",
    .needs = NEED_ROOT,
    .run = run,
};
