/* SPDX-License-Identifier: MIT */
/* immure show: the effective spec, each line with where it comes from. */
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/show-policy.h"
#include "spec/spec-keys.h"
#include "spec/spec.h"

/* Why a setting has no effect of its own, or NULL. */
static const char *idle_because(const struct setting *set)
{
	const struct spec_key *k = spec_key_find(set->section, set->key);
	bool idle = k && (k->use == KEY_REDUNDANT || k->use == KEY_NOT_TAKEN);
	return idle ? k->text : NULL;
}

/* As a file that could be read again: the origins are comments. */
static void print_text(const struct invocation *in, const struct spec *s)
{
	for (size_t i = 0; i < s->n_settings; i++) {
		const struct setting *set = &s->settings[i];
		const char *why = idle_because(set);
		if (!i || set[-1].section != set->section)
			printf("%s[%s]\n", i ? "\n" : "", spec_section_name(set->section));
		if (!in->common->quiet)
			printf("# %s%s%s\n", set->origin, why ? ": no effect: " : "",
			       why ? why : "");
		printf("%s=%s\n", set->key, set->value);
	}
}

static json_t *setting_json(const struct setting *set)
{
	json_t *o = json_object();
	const char *why = idle_because(set);

	json_object_set_new(o, "section", json_string(spec_section_name(set->section)));
	json_object_set_new(o, "key", json_string(set->key));
	json_object_set_new(o, "value", cmd_json_string(set->value));
	json_object_set_new(o, "origin", cmd_json_string(set->origin));
	json_object_set_new(o, "effective", json_boolean(!why));
	if (why)
		json_object_set_new(o, "why", json_string(why));
	return o;
}

static int print_json(const struct spec *s)
{
	json_t *settings = json_array();

	for (size_t i = 0; i < s->n_settings; i++)
		json_array_append_new(settings, setting_json(&s->settings[i]));
	return cmd_print_json(json_pack("{ss so}", "name", s->name, "settings", settings));
}

struct show_opts {
	bool policy;
};

static const struct opt rows[] = {
    {"policy", 0, NULL, "what the jail may do, and why", OPT_FLAG,
     offsetof(struct show_opts, policy)},
};

static int run(const struct invocation *in)
{
	const struct show_opts *opts = in->options;
	struct spec *s CLEANUP_SPEC = NULL;
	struct err e = {0};

	if (opts->policy)
		return show_policy(in);
	if (spec_load(in->dirs->config, in->name, &s, &e) < 0)
		return cmd_fail(&e);
	int r = spec_check(s, &e);
	if (in->common->json)
		print_json(s);
	else
		print_text(in, s);
	return r < 0 ? cmd_fail(&e) : EXIT_GOOD;
}

const struct command cmd_show = {
    .name = "show",
    .summary = "the effective spec, with the origin of each line",
    .synopsis = "NAME [--policy]",
    .more = "Reads the spec and its drop-ins, checks them, and prints what counts in the end. "
	    "With -q\nwithout the origins.",
    .options = rows,
    .n_options = ARRAY_LEN(rows),
    .options_size = sizeof(struct show_opts),
    .min_args = 1,
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME,
    .run = run,
};
