/* SPDX-License-Identifier: MIT */
/* `immure prove`: the exercise again, and the walls as they are seen from inside. */
#include <stdio.h>

#include "base/alloc.h"
#include "cmd/apart.h"
#include "cmd/cmd.h"
#include "cmd/summary-parts.h"
#include "jail/prove.h"
#include "jail/twin.h"

static const char *const results[] = {
    [SELFTEST_HELD] = "holds", [SELFTEST_BROKEN] = "BROKEN", [SELFTEST_UNKNOWN] = "UNKNOWN"};

static void print_walls(const struct prove_report *r)
{
	if (r->n_walls)
		printf("  %-16s %-8s %s\n", "WALL", "", "SEEN FROM INSIDE");
	for (size_t i = 0; i < r->n_walls; i++) {
		const struct selftest_row *w = &r->walls[i];
		CLEANUP_STR char *is = str_printable(xstrdup(w->is));
		CLEANUP_STR char *want = str_printable(xstrdup(w->want));
		printf("  %-16s %-8s %s", w->wall, results[w->result], is);
		if (w->result != SELFTEST_HELD)
			printf(" (should be %s)", want);
		putchar('\n');
	}
}

static void print_text(const struct invocation *in, const struct prove_report *r)
{
	printf("%s: %s, generation %d: %zu step%s %s\n", in->name,
	       r->proof.proved ? "proved" : "NOT proved", r->generation, r->proof.n_steps,
	       r->proof.n_steps == 1 ? "" : "s",
	       r->proof.proved ? "as natively" : "answered otherwise in the jail");
	steps_print(&r->proof);
	print_walls(r);
	list_print("refused", &r->refused, 6);
	list_print("in vain", &r->unwell, 6);
	list_print("no wall", &r->lacking, 6);
	printf("  took       %.2f s natively, %.2f s jailed\n", r->native_s, r->jailed_s);
	if (!r->proof.proved)
		printf("  next       immure build %s, where the host's files or the configuration "
		       "have changed\n",
		       in->name);
}

static json_t *walls_json(const struct prove_report *r)
{
	static const char *const words[] = {
	    [SELFTEST_HELD] = "held", [SELFTEST_BROKEN] = "broken", [SELFTEST_UNKNOWN] = "unknown"};
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_walls; i++)
		json_array_append_new(list, json_pack("{ss ss so so}", "wall", r->walls[i].wall,
						      "result", words[r->walls[i].result], "want",
						      cmd_json_string(r->walls[i].want), "is",
						      cmd_json_string(r->walls[i].is)));
	return list;
}

static void print_json(const struct invocation *in, const struct prove_report *r)
{
	json_t *j = json_pack("{ss sb si so so so so}", "name", in->name, "proved", r->proof.proved,
			      "generation", r->generation, "steps", steps_json(&r->proof), "walls",
			      walls_json(r), "refused", list_json(&r->refused), "missing_walls",
			      list_json(&r->lacking));

	json_object_set_new(j, "seconds",
			    json_pack("{sf sf}", "native", r->native_s, "jailed", r->jailed_s));
	cmd_print_json(j);
}

struct order {
	const struct generation *generation;
	const struct spec *spec;
};

static int work(const struct invocation *in, const struct scratch *scratch, const void *arg)
{
	const struct order *o = arg;
	struct prove_report rep CLEANUP_PROVE_REPORT = PROVE_REPORT_INIT;
	struct err e = {0};
	int r = prove_run(in->dirs, o->generation, o->spec, scratch, apart_progress(in), &rep, &e);

	apart_clear(in);
	if (twin_interrupted && r < 0) {
		fprintf(stderr, "immure: %s: interrupted; nothing was changed\n", in->name);
		return EXIT_NO;
	}
	if (r < 0) {
		CLEANUP_STR char *what = xasprintf("%s: not proved", in->name);
		err_prefix(&e, "%s", what);
		return cmd_fail(&e);
	}
	if (in->common->json)
		print_json(in, &rep);
	else if (!in->common->quiet || r)
		print_text(in, &rep);
	return r == 0 ? EXIT_GOOD : EXIT_NO;
}

static int run(const struct invocation *in)
{
	struct generation g CLEANUP_GENERATION = GENERATION_INIT;
	struct spec *s CLEANUP_SPEC = NULL;
	struct err e = {0};
	int r = generation_load(in->dirs, in->name, &g, &e);

	if (r == 0)
		r = generation_spec(&g, in->name, &s, &e);
	if (r < 0)
		return cmd_fail(&e);
	int status = EXIT_GOOD, lock = cmd_lock(in, &status);

	if (lock < 0)
		return status;
	const struct order order = {.generation = &g, .spec = s};
	status = apart_run(in, s, work, &order);
	jail_unlock(in->dirs, in->name, &lock);
	return status;
}

const struct command cmd_prove = {
    .name = "prove",
    .summary = "exercise a jail again, native against jailed",
    .synopsis = "NAME",
    .more =
	"Runs the exercise in worlds of their own, natively and in the present generation, "
	"compares what\nthey answer, and shows each wall as it is seen from inside the jail. The "
	"running service notices\nnothing. `immure check` compares files instead; `immure "
	"diagnose` is to explain a\nfailure: it is not there yet.",
    .min_args = 1,
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME,
    .run = run,
};
