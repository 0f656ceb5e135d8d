/* SPDX-License-Identifier: MIT */
/* What a spec asks for and this version does not do: never kept silent. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "spec/spec-keys.h"

/* Keys with a typed field that nothing reads yet. */
static const struct {
	enum spec_section section;
	const char *key;
} idle[] = {
    {SPEC_SERVICE, "RemainAfterExit"},
};

static bool is_idle(const struct setting *set)
{
	for (size_t i = 0; i < ARRAY_LEN(idle); i++)
		if (set->section == idle[i].section && streq(set->key, idle[i].key))
			return true;
	return false;
}

static bool is_kept(const struct setting *set)
{
	const struct spec_key *k = spec_key_find(set->section, set->key);
	return k && k->use == KEY_KEPT;
}

static void add_note(const struct spec *s, bool (*belongs)(const struct setting *),
		     const char *title, struct strv *ret)
{
	struct strv keys CLEANUP_STRV = STRV_INIT;
	char *text = NULL;
	size_t len;

	for (size_t i = 0; i < s->n_settings; i++)
		if (belongs(&s->settings[i]))
			strv_add(&keys, s->settings[i].key);
	strv_sort_unique(&keys);
	FILE *f = keys.n ? open_memstream(&text, &len) : NULL;
	if (!f)
		return;
	fprintf(f, "%s: ", title);
	for (size_t i = 0; i < keys.n; i++)
		fprintf(f, "%s%s", i ? ", " : "", keys.v[i]);
	if (fclose(f) != 0)
		abort(); /* out of memory */
	strv_take(ret, text);
}

void spec_idle_notes(const struct spec *s, struct strv *ret)
{
	add_note(s, is_kept, "kept in the spec, not enforced by this version", ret);
	add_note(s, is_idle, "no effect in this version", ret);
}
