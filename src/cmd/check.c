/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cmd/cmd.h"
#include "cmd/status.h"
#include "confine/host-walls.h"
#include "jail/check.h"
#include "jail/generation.h"

struct check_opts {
	bool host, deep;
	const char *format;
};

static const struct opt rows[] = {
    {"host", 0, NULL, "what this kernel can enforce", OPT_FLAG, offsetof(struct check_opts, host)},
    {"deep", 0, NULL, "read every byte, not only metadata", OPT_FLAG,
     offsetof(struct check_opts, deep)},
    {"format", 0, "FORMAT", "for another program: nagios", OPT_STRING,
     offsetof(struct check_opts, format)},
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

/* --- jails --- */

static void print_findings(const char *name, const struct findings *f, bool quiet)
{
	if (!f->n && !quiet)
		printf("%s: as it was sealed, and as the host is\n", name);
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *one = &f->v[i];
		CLEANUP_STR char *path = str_printable(xstrdup(one->path));
		CLEANUP_STR char *text = str_printable(xstrdup(one->text));
		if (!quiet || one->kind != FINDING_NOTE)
			printf("%s: %s: %s%s%s\n", name, finding_kind_name(one->kind), path,
			       *path ? " " : "", text);
	}
}

static json_t *jail_to_json(const char *name, const struct findings *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->n; i++)
		json_array_append_new(list, json_pack("{ss so so}", "kind",
						      finding_kind_name(f->v[i].kind), "path",
						      cmd_json_string(f->v[i].path), "text",
						      cmd_json_string(f->v[i].text)));
	return json_pack("{ss sb so}", "name", name, "clean", findings_clean(f), "findings", list);
}

static int check_one(const struct invocation *in, struct checker *c, const char *name, json_t *list)
{
	struct findings f CLEANUP_FINDINGS = {0};
	struct err e = {0};

	int r = check_jail(c, name, &f, &e);
	if (r < 0 && !in->given->args.n && !generation_number(in->dirs, name))
		return EXIT_GOOD; /* of all: removed just now */
	if (r < 0)
		return cmd_fail(&e);
	if (in->common->json)
		json_array_append_new(list, jail_to_json(name, &f));
	else
		print_findings(name, &f, in->common->quiet);
	return findings_clean(&f) ? EXIT_GOOD : EXIT_NO;
}

/* The worst of all: what could not be looked at is worse than what is not right. */
static int check_jails(const struct invocation *in, const struct strv *names)
{
	const struct check_opts *opts = in->options;
	struct checker *c CLEANUP_CHECKER = checker_new(in->dirs, opts->deep);
	json_t *list = json_array();
	int worst = EXIT_GOOD;

	for (size_t i = 0; i < names->n; i++) {
		int status = check_one(in, c, names->v[i], list);
		worst = status > worst ? status : worst;
	}
	if (in->common->json)
		cmd_print_json(json_pack("{sO sb}", "jails", list, "clean", worst == EXIT_GOOD));
	json_decref(list);
	return worst;
}

static int run(const struct invocation *in)
{
	const struct check_opts *opts = in->options;
	const struct strv *given = &in->given->args;
	struct strv all CLEANUP_STRV = STRV_INIT;
	struct err e = {0};

	if (opts->host && (given->n || opts->format))
		err_set(&e, -EINVAL,
			"--host looks at the host, not at a jail: give one or the other");
	else if (opts->format && !streq(opts->format, "nagios"))
		err_set(&e, -EINVAL, "'%.100s' is no format: nagios is", opts->format);
	else if (opts->host)
		return check_host(in);
	else if (given->n || jail_names(in->dirs, &all, &e) == 0) {
		const struct strv *names = given->n ? given : &all;
		return opts->format ? status_nagios(in, names, !given->n, opts->deep)
				    : check_jails(in, names);
	}
	return cmd_fail(&e);
}

const struct command cmd_check = {
    .name = "check",
    .summary = "jails against what was sealed and against the host",
    .synopsis = "[NAME...] [--deep] [--host] [--format FORMAT]",
    .more =
	"What was tampered with, what the host has newer, what should not be there, what runs on "
	"an older\ngeneration; exit status 1 where there is anything of it. Without names: all "
	"jails. With --host: what\nthis kernel can enforce, each wall tried. `immure prove` runs "
	"the "
	"exercise instead; `immure diagnose`\nis to explain a failure: it is not there yet.",
    .options = rows,
    .n_options = ARRAY_LEN(rows),
    .options_size = sizeof(struct check_opts),
    .max_args = 1000,
    .needs = NEED_ROOT,
    .run = run,
};
