/* SPDX-License-Identifier: MIT */
#include "foresee/families.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/path.h"
#include "foresee/families-parts.h"

struct families *families_new(const struct families_context *c)
{
	struct families *f = xcalloc(1, sizeof(*f));
	f->c = *c;
	return f;
}

void families_free(struct families *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n_met; i++) {
		free(f->met[i]->object);
		free(f->met[i]->cause);
		free(f->met[i]);
	}
	free(f->met);
	nsswitch_done(&f->nsswitch);
	gconv_done(&f->gconv);
	strv_done(&f->pam_files);
	strv_done(&f->gconv_read);
	free(f);
}

/* The object that is looked at. */
struct looking {
	const char *path;
	const struct elf_object *o; /* NULL for a plain file */
	bool program;
};

/* Whether what the object could tell of the row is known by @m already. */
static bool covers(const struct met *m, const struct family_row *row, const struct looking *l)
{
	if (m->row != row || (row->each && !streq(m->object, l->path)))
		return false;
	if (!l->o)
		return true;
	return m->machine == l->o->machine && m->wide == l->o->wide &&
	       (m->program || !l->program || !row->program_more);
}

static bool is_met(const struct families *f, const struct family_row *row, const struct looking *l)
{
	for (size_t i = 0; i < f->n_met; i++)
		if (covers(f->met[i], row, l))
			return true;
	return false;
}

static const char *imported_sign(const struct family_row *row, const struct looking *l)
{
	for (const char *const *s = row->symbols; s && *s; s++)
		if (elf_imports(l->o, *s))
			return *s;
	return NULL;
}

static const char *needed_sign(const struct family_row *row, const struct looking *l)
{
	for (size_t i = 0; row->libraries && i < l->o->needed.n; i++)
		if (part_matches(row->libraries, l->o->needed.v[i]))
			return l->o->needed.v[i];
	return NULL;
}

static const char *compiled_sign(const struct families *f, const struct family_row *row,
				 const struct looking *l)
{
	if (!row->compiled || !l->program)
		return NULL;
	const struct strv *paths = libraries_paths(f->c.libraries, l->path);
	for (const char *const *s = row->compiled; *s; s++)
		for (size_t i = 0; i < paths->n; i++)
			if (path_within(paths->v[i], *s))
				return *s;
	return NULL;
}

/* The sign of @row that the object has, as a sentence, new; or NULL. */
static char *find_cause(const struct families *f, const struct family_row *row,
			const struct looking *l)
{
	const char *sign;

	if (!l->o)
		return part_matches(row->read, l->path) ? xasprintf("%s is read", l->path) : NULL;
	if ((row->program_only && !l->program) || part_matches(row->not_by, l->path))
		return NULL;
	if (row->any_program && l->program)
		return xasprintf("%s is a program of the service", l->path);
	if ((sign = imported_sign(row, l)))
		return xasprintf("%s imports %s", l->path, sign);
	if ((sign = needed_sign(row, l)))
		return xasprintf("%s needs %s", l->path, sign);
	if ((sign = compiled_sign(f, row, l)))
		return xasprintf("%s has %s compiled in", l->path, sign);
	return NULL;
}

static void meet(struct families *f, const struct family_row *row, const struct looking *l,
		 char *cause)
{
	struct met *m = xcalloc(1, sizeof(*m));

	*m = (struct met){.row = row,
			  .object = xstrdup(l->path),
			  .cause = cause,
			  .program = l->program,
			  .wide = l->o && l->o->wide,
			  .machine = l->o ? l->o->machine : 0};
	f->met = xrealloc(f->met, f->n_met + 1, sizeof(struct met *));
	f->met[f->n_met++] = m;
	part_take_lists(f, m);
	if (row->take)
		row->take(f, m, l->o);
}

static void look(struct families *f, const struct looking *l)
{
	for (size_t i = 0; i < n_family_rows; i++) {
		const struct family_row *row = &family_rows[i];
		char *cause = is_met(f, row, l) ? NULL : find_cause(f, row, l);
		if (cause)
			meet(f, row, l, cause);
	}
	families_look_words(f);
}

void families_look(struct families *f, const char *path, const struct elf_object *o, bool program)
{
	const struct looking l = {.path = path, .o = o, .program = program};
	look(f, &l);
}

void families_look_file(struct families *f, const char *path)
{
	const struct looking l = {.path = path};
	look(f, &l);
}

void families_look_words(struct families *f)
{
	for (size_t i = 0; f->c.words && i < f->n_met; i++) {
		struct met *m = f->met[i];
		while (m->row->word && m->words < f->c.words->n)
			m->row->word(f, m, f->c.words->v[m->words++]);
	}
}

bool families_met(const struct families *f, const char *name)
{
	for (size_t i = 0; i < f->n_met; i++)
		if (streq(f->met[i]->row->family, name))
			return true;
	return false;
}

void families_list(const struct families *f, struct strv *ret)
{
	for (size_t i = 0; i < f->n_met; i++)
		strv_add(ret, f->met[i]->row->family);
	strv_sort_unique(ret);
}
