/* SPDX-License-Identifier: MIT */
#include "jail/diff.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "cmd/cmd.h"
#include "jail/behind.h"

static const struct {
	const char *sign, *word;
} kinds[] = {[CHANGE_ADDED] = {"+", "added"},
	     [CHANGE_REMOVED] = {"-", "removed"},
	     [CHANGE_CHANGED] = {"~", "changed"}};

static int parse(const char *text, int *ret, struct err *e)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n < 1 || n > 1000000)
		return err_set(e, -EINVAL, "'%.40s' is no number of a generation", text);
	*ret = (int)n;
	return 0;
}

/* The two that are asked for; without any the current one and the one before it. */
static int choose(const struct invocation *in, int ret[2], struct err *e)
{
	const struct strv *args = &in->given->args;
	int r = 0;

	ret[1] = generation_number(in->dirs, in->name);
	if (!ret[1])
		return err_set(e, -ENOENT, "no jail named '%s'", in->name);
	if (args->n == 2)
		return err_set(e, -EINVAL, "diff takes no generation, or two: immure diff %s 1 2",
			       in->name);
	if (args->n == 3) {
		r = parse(args->v[1], &ret[0], e);
		return r == 0 ? parse(args->v[2], &ret[1], e) : r;
	}
	ret[0] = generation_before(in->dirs, in->name, ret[1]);
	if (!ret[0])
		ret[0] = ret[1]; /* the only one: how far it is behind can be told all the same */
	return 0;
}

static int load(const struct invocation *in, int number, struct generation *ret, struct err *e)
{
	int all[GENERATIONS_MAX];
	size_t n = generation_numbers(in->dirs, in->name, all);

	for (size_t i = 0; i < n; i++)
		if (all[i] == number)
			return generation_load_number(in->dirs, in->name, number, ret, e);
	return err_set(e, -ENOENT, "%s has no generation %d (there are %zu, up to %d)", in->name,
		       number, n, n ? all[n - 1] : 0);
}

/* What the host has newer than generation @number, which is current, and since when. */
static void find_behind(const struct invocation *in, const struct generation *g,
			struct behind_list *ret)
{
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT;
	struct packages *packages CLEANUP_PACKAGES = NULL;
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (g->number == generation_number(in->dirs, in->name) &&
	    manifest_load(g->dir, &m, NULL) == 0)
		behind_find(&m, host, &packages, ret);
}

static void print_behind(const struct behind_list *behind)
{
	for (size_t i = 0; i < behind->n; i++) {
		const struct behind *b = &behind->v[i];
		CLEANUP_STR char *how_long = behind_since(b->hours);
		printf("! package %s: %s here, the host has %s %s\n", b->package, b->jail, b->host,
		       how_long);
	}
}

static void print_text(const struct invocation *in, const int numbers[2], const struct changes *c,
		       const struct behind_list *behind)
{
	if (numbers[0] == numbers[1])
		printf("%s: generation %d, with none before it\n", in->name, numbers[1]);
	else if (!c->n)
		printf("%s: generations %d and %d are the same\n", in->name, numbers[0],
		       numbers[1]);
	for (size_t i = 0; i < c->n; i++) {
		CLEANUP_STR char *what = str_printable(xstrdup(c->v[i].what));
		CLEANUP_STR char *text = str_printable(xstrdup(c->v[i].text));
		printf("%s %s%s%s\n", kinds[c->v[i].kind].sign, what, *text ? ": " : "", text);
	}
	print_behind(behind);
}

static json_t *changes_to_json(const struct changes *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n; i++)
		json_array_append_new(list,
				      json_pack("{ss so so}", "change", kinds[c->v[i].kind].word,
						"what", cmd_json_string(c->v[i].what), "text",
						cmd_json_string(c->v[i].text)));
	return list;
}

static json_t *behind_to_json(const struct behind_list *l)
{
	json_t *list = json_array();

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(list,
				      json_pack("{ss ss ss sI}", "package", l->v[i].package,
						"version", l->v[i].jail, "host_version",
						l->v[i].host, "hours", (json_int_t)l->v[i].hours));
	return list;
}

static int run(const struct invocation *in)
{
	struct generation a CLEANUP_GENERATION = GENERATION_INIT;
	struct generation b CLEANUP_GENERATION = GENERATION_INIT;
	struct changes c CLEANUP_CHANGES = {0};
	struct behind_list behind CLEANUP_BEHIND = {0};
	struct err e = {0};
	int numbers[2];
	int r = choose(in, numbers, &e);

	if (r == 0)
		r = load(in, numbers[0], &a, &e);
	if (r == 0)
		r = load(in, numbers[1], &b, &e);
	if (r == 0)
		r = diff_generations(&a, &b, &c, &e);
	if (r < 0)
		return cmd_fail(&e);
	find_behind(in, &b, &behind);
	if (in->common->json)
		return cmd_print_json(json_pack(
		    "{ss si si so so}", "name", in->name, "from", numbers[0], "to", numbers[1],
		    "changes", changes_to_json(&c), "behind", behind_to_json(&behind)));
	if (!in->common->quiet)
		print_text(in, numbers, &c, &behind);
	return EXIT_GOOD;
}

const struct command cmd_diff = {
    .name = "diff",
    .summary = "what two generations of a jail have different",
    .synopsis = "NAME [GEN GEN]",
    .more = "Packages and their versions, rights, paths; behind \"!\" what the host has newer than "
	    "the\n"
	    "current generation, and since when. Without numbers: the current one against the one "
	    "before.",
    .min_args = 1,
    .max_args = 3,
    .needs = NEED_ROOT | NEED_NAME,
    .run = run,
};
