/* SPDX-License-Identifier: MIT */
#include "ld/closure.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/path.h"

/* Honest programs load some 300 objects at most. */
#define MEMBERS_MAX 4096

struct member_name {
	char *name;
	struct member *member;
	UT_hash_handle hh;
};

void closure_free(struct closure *c)
{
	struct member_name *n, *next;

	if (!c)
		return;
	HASH_ITER(hh, c->names, n, next)
	{
		HASH_DEL(c->names, n);
		free(n->name);
		free(n);
	}
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i]->loaded.origin);
		free(c->v[i]->path);
		free(c->v[i]->name);
		free(c->v[i]->how);
		free(c->v[i]);
	}
	free(c->v);
	strv_done(&c->missing);
	free(c);
}

static struct member *find_member(const struct closure *c, const char *name)
{
	struct member_name *n = NULL;

	for (; c && !n; c = c->program)
		HASH_FIND_STR(c->names, name, n);
	return n ? n->member : NULL;
}

/* The first that has a name keeps it. */
static void add_name(struct closure *c, struct member *m, const char *name)
{
	if (!name || find_member(c, name))
		return;
	struct member_name *n = xcalloc(1, sizeof(*n));
	*n = (struct member_name){.name = xstrdup(name), .member = m};
	HASH_ADD_KEYPTR(hh, c->names, n->name, strlen(n->name), n);
}

/* The object at @path becomes a member, if it is none. */
static struct member *add_member(struct closure *c, struct library *l, const char *path)
{
	struct member *m = find_member(c, l->path);

	if (m || c->n >= MEMBERS_MAX)
		return m;
	m = xcalloc(1, sizeof(*m));
	m->loaded = (struct loaded){.library = l, .origin = path_parent(path)};
	m->path = xstrdup(path);
	c->v = xrealloc(c->v, c->n + 1, sizeof(struct member *));
	c->v[c->n++] = m;
	add_name(c, m, l->path);
	add_name(c, m, path);
	if (c->loader->kind == LOADER_GLIBC)
		add_name(c, m, l->object.soname);
	return m;
}

static void miss(struct closure *c, char *text)
{
	if (strv_has(&c->missing, text))
		free(text);
	else
		strv_take(&c->missing, text);
}

static void add_found(struct closure *c, const struct member *by, const char *relation,
		      const char *name, const struct found *f)
{
	size_t before = c->n;
	struct member *m = add_member(c, f->library, f->path);

	if (m)
		add_name(c, m, name);
	if (c->n == before)
		return;
	m->loaded.loader = &by->loaded;
	m->relation = relation;
	m->by = by;
	m->name = xstrdup(name);
	m->how = xstrdup(f->how);
}

static void load(struct closure *c, const struct member *by, const char *relation, const char *name,
		 bool optional)
{
	struct found_list found CLEANUP_FOUND = {0};

	if (find_member(c, name) || loader_is_library(c->loader, name))
		return;
	search_find(c->search, c->loader, &by->loaded, name, &found);
	if (!found.n && !optional)
		miss(c, xasprintf("%s, %s %s", name, relation, by->loaded.library->path));
	/* The last one is for every CPU: the one whose versions count. */
	for (size_t i = found.n; i > 0; i--)
		add_found(c, by, relation, name, &found.v[i - 1]);
}

static void load_all(struct closure *c, const struct member *by, const char *relation,
		     const struct strv *names, bool optional)
{
	for (size_t i = 0; i < names->n; i++)
		load(c, by, relation, names->v[i], optional);
}

static void check_versions(struct closure *c, const struct member *m)
{
	const struct elf_object *o = &m->loaded.library->object;

	for (size_t i = 0; i < o->n_versions; i++) {
		const struct elf_version *v = &o->versions[i];
		const struct member *of = find_member(c, v->file);
		const struct strv *defines = of ? &of->loaded.library->object.defines : NULL;
		/* A library without versions at all is only warned of. */
		if (!v->weak && defines && defines->n && !strv_has(defines, v->name))
			miss(c, xasprintf("%s of %s, needed by %s", v->name, v->file,
					  m->loaded.library->path));
	}
}

/* The loader is there before all libraries, and known by its name too. */
static void add_loader(struct closure *c)
{
	const char *path = c->loader->path;
	struct library *l = path && !c->program ? library_at(c->search->files, path) : NULL;

	if (l)
		add_member(c, l, path);
	else if (path && !c->program)
		miss(c, xasprintf("%s, interpreter of %s", path, c->v[0]->loaded.library->path));
}

static void load_breadth_first(struct closure *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct member *m = c->v[i];
		const struct elf_object *o = &m->loaded.library->object;
		load_all(c, m, "needed by", &o->needed, false);
		load_all(c, m, "filter of", &o->filters, false);
		load_all(c, m, "auxiliary filter of", &o->auxiliaries, true);
	}
	for (size_t i = 0; i < c->n; i++)
		if (c->loader->kind == LOADER_GLIBC)
			check_versions(c, c->v[i]);
}

struct closure *closure_new(struct search *s, const struct loader *loader, struct library *of,
			    const struct closure *program, const struct strv *preload)
{
	struct closure *c = xcalloc(1, sizeof(*c));

	*c = (struct closure){.search = s, .loader = loader, .program = program};
	struct member *first = add_member(c, of, of->path);
	if (!first) /* a library of the program itself */
		return c;
	if (program)
		first->loaded.loader = &program->v[0]->loaded;
	add_loader(c);
	load_all(c, first, "preloaded into", preload, true);
	load_breadth_first(c);
	return c;
}
