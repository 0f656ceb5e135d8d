/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "spec/spec-keys.h"

static void print_settings(FILE *f, const struct spec *s, enum spec_section section,
			   const char *key)
{
	for (size_t i = 0; i < s->n_settings; i++) {
		const struct setting *set = &s->settings[i];
		if (set->section == section && (!key || streq(set->key, key)))
			fprintf(f, "%s=%s\n", set->key, set->value);
	}
}

/* Our own keys: each with what it means; one that is not set shows how it could be. */
static void print_ours(FILE *f, const struct spec *s, enum spec_section section)
{
	size_t n;
	const struct spec_key *rows = spec_keys(section, &n);

	fprintf(f, "\n[%s]\n", spec_section_name(section));
	for (size_t i = 0; i < n; i++) {
		fprintf(f, "# %s: %s\n", rows[i].name, rows[i].text);
		if (spec_find(s, section, rows[i].name))
			print_settings(f, s, section, rows[i].name);
		else
			fprintf(f, "#%s=%s\n", rows[i].name, rows[i].example);
	}
}

char *spec_print(const struct spec *s)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		abort(); /* out of memory */
	fprintf(
	    f,
	    "# What the jail %s is asked to be: immure.spec(5). Changes take effect with\n"
	    "# \"immure build %s\". Own lines may also go to %s.conf.d/*.conf beside this file.\n"
	    "\n"
	    "# As systemd.service(5), systemd.exec(5) and systemd.resource-control(5) say.\n"
	    "[Service]\n",
	    s->name, s->name, s->name);
	print_settings(f, s, SPEC_SERVICE, NULL);
	print_ours(f, s, SPEC_JAIL);
	print_ours(f, s, SPEC_EXERCISE);
	if (fclose(f) != 0)
		abort(); /* out of memory */
	return text;
}
