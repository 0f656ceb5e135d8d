/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/alloc.h"
#include "cmd/cmd.h"
#include "jail/generation.h"

struct files_options {
	const char *class;
};

static const struct opt rows[] = {
    {"class", 0, "CLASS", "only this class (program, config, secret, content, state, log ...)",
     OPT_STRING, offsetof(struct files_options, class)},
};

/* A file that only foresight brings: no run of a twin has touched it. */
static bool is_unused(const struct entry *en)
{
	return S_ISREG(en->mode) && en->provided == PROVIDED_COPY && !en->used;
}

/* With @packages: who owns it stands before the reason. */
static void print_row(const struct entry *en, bool packages)
{
	CLEANUP_STR char *path =
	    xasprintf("%s%s%s", en->path, en->link ? " -> " : "", en->link ? en->link : "");
	CLEANUP_STR char *why = xasprintf("%s%s", entry_reason(en),
					  is_unused(en)	     ? " (unused so far)"
					  : en->start_helper ? " (start helper)"
							     : "");

	printf("%-44s %10lld  %-8s ", str_printable(path), (long long)en->size,
	       class_name(en->class));
	if (packages)
		printf("%-20s ", en->package ? en->package : "-");
	puts(str_printable(why));
}

static void print_head(bool packages)
{
	printf("%-44s %10s  %-8s ", "PATH", "SIZE", "CLASS");
	if (packages)
		printf("%-20s ", "PACKAGE");
	puts("FIRST REASON");
}

/* Directories that are only on the way to something else say nothing new. */
static bool tells_nothing(const struct entry *en)
{
	return S_ISDIR(en->mode) && !en->used &&
	       (!en->n_reasons || en->reasons[0].kind == REASON_WAY ||
		en->reasons[0].kind == REASON_MADE);
}

static int check_class(const char *word, enum jail_class *ret, struct err *e)
{
	*ret = word ? class_parse(word) : CLASS_COUNT;
	if (!word || *ret != CLASS_COUNT)
		return 0;
	err_set(e, -EINVAL, "unknown class '%s'; there are:", word);
	for (int i = 0; i < CLASS_COUNT; i++) {
		size_t n = strlen(e->msg);
		snprintf(e->msg + n, sizeof(e->msg) - n, " %s", class_name((enum jail_class)i));
	}
	return -EINVAL;
}

static int run(const struct invocation *in)
{
	const struct files_options *o = in->options;
	struct generation g CLEANUP_GENERATION = GENERATION_INIT;
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT;
	struct err e = {0};
	enum jail_class class;

	int r = check_class(o->class, &class, &e);
	if (r == 0)
		r = generation_load(in->dirs, in->name, &g, &e);
	if (r == 0)
		r = manifest_load(g.dir, &m, &e);
	if (r < 0)
		return cmd_fail(&e);
	json_t *list = json_array();
	if (!in->common->json && !in->common->quiet)
		print_head(in->common->verbose);
	for (size_t i = 0; i < m.n; i++) {
		if (class != CLASS_COUNT && m.v[i].class != class)
			continue;
		if (in->common->json)
			json_array_append_new(list, entry_to_json(&m.v[i]));
		else if (in->common->verbose || !tells_nothing(&m.v[i]))
			print_row(&m.v[i], in->common->verbose);
	}
	if (in->common->json)
		cmd_print_json(json_pack("{ss si sO}", "name", in->name, "generation", g.number,
					 "files", list));
	json_decref(list);
	return EXIT_GOOD;
}

const struct command cmd_files = {
    .name = "files",
    .summary = "what is in a jail: path, size, class, first reason",
    .synopsis = "NAME [--class CLASS]",
    .more = "Directories that are only on the way to something are shown with -v, and the package\n"
	    "that owns each path. why tells all reasons of one path.",
    .options = rows,
    .n_options = ARRAY_LEN(rows),
    .options_size = sizeof(struct files_options),
    .min_args = 1,
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME,
    .run = run,
};
