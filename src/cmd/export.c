/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "jail/service.h"

struct export_opts {
	const char *format, *output;
};

static const struct opt rows[] = {
    {"format", 0, "FORMAT", "plan: what immure-launch carries out by itself", OPT_STRING,
     offsetof(struct export_opts, format)},
    {"output", 'o', "PATH", "the file to write", OPT_STRING, offsetof(struct export_opts, output)},
};

typedef int (*writer)(const struct dirs *d, const char *name, const char *path, struct err *e);

static const struct {
	const char *name;
	writer write;
} formats[] = {
    {"plan", service_export_plan},
};

static writer find(const char *format, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (format && streq(format, formats[i].name))
			return formats[i].write;
	err_set(e, -EINVAL, "--format %s: this version exports: plan",
		format ? format : "is missing");
	return NULL;
}

static int run(const struct invocation *in)
{
	const struct export_opts *o = in->options;
	struct err e = {0};
	writer write = find(o->format, &e);

	if (!write)
		return cmd_fail(&e);
	if (!o->output) {
		err_set(&e, -EINVAL, "say where to: -o PATH");
		return cmd_fail(&e);
	}
	if (in->common->dry_run) {
		printf("would write %s\n", o->output);
		return EXIT_GOOD;
	}
	return write(in->dirs, in->name, o->output, &e) < 0 ? cmd_fail(&e) : EXIT_GOOD;
}

const struct command cmd_export = {
    .name = "export",
    .summary = "write a jail in another form",
    .synopsis = "NAME --format FORMAT -o PATH",
    .more = "plan: the present generation's start as immure-launch reads it; `immure-launch PATH` "
	    "then runs the\njail with nothing of immure resident but its init. What a start reads "
	    "anew (edited single\nconfiguration files, flipped links, environment files) is as it "
	    "was at the export.",
    .options = rows,
    .n_options = ARRAY_LEN(rows),
    .options_size = sizeof(struct export_opts),
    .min_args = 1,
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME | TAKES_DRY_RUN,
    .run = run,
};
