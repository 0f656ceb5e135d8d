/* SPDX-License-Identifier: MIT */
#include "cmd/show-policy.h"

#include <stdio.h>

#include "base/alloc.h"
#include "confine/rights.h"
#include "jail/generation.h"

static void print_right(const struct right *r)
{
	CLEANUP_STR char *name = str_printable(xstrdup(r->name));
	CLEANUP_STR char *why = str_printable(xstrdup(r->why));
	CLEANUP_STR char *by = str_printable(xstrdup(r->by));

	printf("%-24s %-9s %s%s%s\n", name, phase_name(r->phase), why, *by ? ", by " : "", by);
}

static void print_spec_rights(const struct spec *s)
{
	for (size_t i = 0; i < s->rights.n; i++)
		printf("%-24s %-9s Rights= in the spec\n", s->rights.v[i], "spec");
}

/* What is so for every jail, and what this one has of it. */
static void print_walls(const struct confinement *c)
{
	const struct landlock *l = c->walls.landlock;

	printf("\ncapabilities     ");
	for (int cap = 0; cap < 64; cap++)
		if (c->walls.capabilities >> cap & 1 && rights_name(cap))
			printf("%s ", rights_name(cap));
	printf("%s\n", c->walls.capabilities ? "" : "none");
	printf("no_new_privs     %s\n",
	       c->walls.no_new_privs ? "yes" : "no: it uses set-id programs");
	printf("system calls     the base set, and the calls above; filter of %u instructions\n",
	       c->filter.len);
	printf("tcp bind         ");
	for (size_t i = 0; i < l->n_bind && !l->bind_any; i++)
		printf("%u ", l->bind[i]);
	puts(l->bind_any ? "any port" : l->n_bind ? "" : "none");
	printf("tcp connect      %s\n", l->connect_any ? "anywhere" : "nowhere");
}

static json_t *right_json(const char *name, const char *why, const char *by, const char *phase)
{
	return json_pack("{so so so ss}", "right", cmd_json_string(name), "why",
			 cmd_json_string(why), "by", cmd_json_string(by), "phase", phase);
}

static int print_json(const struct invocation *in, const struct generation *g, const struct spec *s,
		      const struct confinement *c)
{
	json_t *rights = json_array(), *caps = json_array(), *bind = json_array();

	for (size_t i = 0; i < g->policy.n; i++) {
		const struct right *r = &g->policy.v[i];
		json_array_append_new(rights,
				      right_json(r->name, r->why, r->by, phase_name(r->phase)));
	}
	for (size_t i = 0; i < s->rights.n; i++)
		json_array_append_new(
		    rights, right_json(s->rights.v[i], "Rights= in the spec", "", "spec"));
	for (int cap = 0; cap < 64; cap++)
		if (c->walls.capabilities >> cap & 1 && rights_name(cap))
			json_array_append_new(caps, json_string(rights_name(cap)));
	for (size_t i = 0; i < c->walls.landlock->n_bind; i++)
		json_array_append_new(bind, json_integer(c->walls.landlock->bind[i]));
	json_t *j = json_pack(
	    "{ss si so so sb sI so sb sb}", "name", in->name, "generation", g->number, "rights",
	    rights, "capabilities", caps, "no_new_privs", c->walls.no_new_privs,
	    "filter_instructions", (json_int_t)c->filter.len, "tcp_bind", bind, "tcp_bind_any",
	    c->walls.landlock->bind_any, "tcp_connect_any", c->walls.landlock->connect_any);
	return cmd_print_json(j);
}

int show_policy(const struct invocation *in)
{
	struct generation g CLEANUP_GENERATION = GENERATION_INIT;
	struct confinement c CLEANUP_CONFINEMENT = CONFINEMENT_INIT;
	struct spec *s CLEANUP_SPEC = NULL;
	struct err e = {0};
	int r = generation_load(in->dirs, in->name, &g, &e);

	if (r == 0)
		r = generation_spec(&g, in->name, &s, &e);
	if (r == 0)
		r = confinement_take(&g, s, &c, &e);
	if (r < 0)
		return cmd_fail(&e);
	if (in->common->json)
		return print_json(in, &g, s, &c);
	if (!in->common->quiet)
		printf("%-24s %-9s %s\n", "RIGHT", "SEEN", "NEEDED FOR");
	for (size_t i = 0; i < g.policy.n; i++)
		print_right(&g.policy.v[i]);
	print_spec_rights(s);
	print_walls(&c);
	return EXIT_GOOD;
}
