/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/status.h"
#include "jail/generation.h"
#include "jail/store.h"

struct row {
	struct status_row status; /* its usage only where it is shown */
	struct cost held;
};

static int measure(const struct invocation *in, const char *name, struct row *row, struct err *e)
{
	struct generation g CLEANUP_GENERATION = GENERATION_INIT;
	int r = in->common->json ? status_row(in->dirs, name, &row->status, e)
				 : service_status(in->dirs, name, &row->status.service, e);

	if (r == 0)
		r = generation_load(in->dirs, name, &g, e);
	row->held = g.held;
	return r;
}

static void print_row(const char *name, const struct row *row)
{
	char size[32];

	printf("%-20s %-8s %7d %10d %7zu %10s\n", name,
	       service_state_name(row->status.service.state), (int)row->status.service.pid,
	       row->status.service.generation, row->held.files,
	       cmd_size(row->held.bytes, size, sizeof(size)));
}

static json_t *row_to_json(const struct row *row)
{
	json_t *j = status_to_json(&row->status);
	json_object_set_new(j, "files", json_integer((json_int_t)row->held.files));
	json_object_set_new(j, "bytes", json_integer(row->held.bytes));
	return j;
}

/* What all of them have, and what that takes where each file is there once. */
static void print_total(const struct cost *all, size_t jails, const struct store_size *disk)
{
	char held[32], on_disk[32];

	printf("%zu jails hold %s, which takes %s on disk: what they share is there once\n", jails,
	       cmd_size(all->bytes, held, sizeof(held)),
	       cmd_size(disk->bytes, on_disk, sizeof(on_disk)));
}

static int run(const struct invocation *in)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	struct err e = {0};
	struct store_size disk;
	struct cost all = {0};
	int status = EXIT_GOOD;

	if (jail_names(in->dirs, &names, &e) < 0 || store_measure(in->dirs, &disk, &e) < 0)
		return cmd_fail(&e);
	json_t *list = json_array();
	if (!in->common->json && !in->common->quiet && names.n)
		printf("%-20s %-8s %7s %10s %7s %10s\n", "NAME", "STATE", "PID", "GENERATION",
		       "FILES", "SIZE");
	for (size_t i = 0; i < names.n; i++) {
		struct row row = {0};
		int r = measure(in, names.v[i], &row, &e);
		if (r < 0 && !generation_number(in->dirs, names.v[i]))
			continue; /* removed just now */
		if (r < 0) {
			status = cmd_fail(&e);
			continue;
		}
		all.files += row.held.files;
		all.bytes += row.held.bytes;
		if (in->common->json)
			json_array_append_new(list, row_to_json(&row));
		else
			print_row(names.v[i], &row);
	}
	if (in->common->json)
		cmd_print_json(json_pack("{sO sI sI}", "jails", list, "bytes",
					 (json_int_t)all.bytes, "disk", (json_int_t)disk.bytes));
	else if (!in->common->quiet && names.n > 1)
		print_total(&all, names.n, &disk);
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
