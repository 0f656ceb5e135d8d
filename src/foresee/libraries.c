/* SPDX-License-Identifier: MIT */
#include "foresee/libraries.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/path.h"
#include "host/host.h"
#include "ld/closure.h"

#define PRELOAD_PATH "/etc/ld.so.preload"
#define PRELOAD_MAX  65536

struct known_loader {
	char *key; /* "MACHINE PATH" */
	struct loader *loader;
	UT_hash_handle hh;
};

struct known_program {
	const char *path; /* the library's */
	struct closure *closure;
	UT_hash_handle hh;
};

struct libraries {
	int root;
	char *library_path;
	struct library_files files;
	struct search search;
	struct strv preload; /* names in LD_PRELOAD */
	struct strv preload_file;
	struct known_loader *loaders;
	struct known_program *programs;
};

#define SEPARATORS " \t\n:" /* ld.so(8) */

static const char *environment_value(const struct strv *environment, const char *name)
{
	const char *value = env_get(environment, name);
	return value ? value : "";
}

static void read_preload_file(struct libraries *l)
{
	CLEANUP_STR char *text = NULL;

	if (host_read_path(l->root, PRELOAD_PATH, PRELOAD_MAX, &text, NULL) == 0)
		strv_split(&l->preload_file, text, SEPARATORS);
}

struct libraries *libraries_open(int root, const struct strv *environment)
{
	struct libraries *l = xcalloc(1, sizeof(*l));

	l->root = l->files.root = root;
	l->library_path = xstrdup(environment_value(environment, "LD_LIBRARY_PATH"));
	strv_split(&l->preload, environment_value(environment, "LD_PRELOAD"), SEPARATORS);
	read_preload_file(l);
	search_open(&l->search, &l->files, l->library_path);
	return l;
}

void libraries_free(struct libraries *l)
{
	struct known_program *p, *next;
	struct known_loader *k, *next_loader;

	if (!l)
		return;
	HASH_ITER(hh, l->programs, p, next)
	{
		HASH_DEL(l->programs, p);
		closure_free(p->closure);
		free(p);
	}
	HASH_ITER(hh, l->loaders, k, next_loader)
	{
		HASH_DEL(l->loaders, k);
		loader_free(k->loader);
		free(k->key);
		free(k);
	}
	search_done(&l->search);
	library_files_done(&l->files);
	strv_done(&l->preload);
	strv_done(&l->preload_file);
	free(l->library_path);
	free(l);
}

const struct elf_object *libraries_object(struct libraries *l, const char *path)
{
	const struct library *library = library_at(&l->files, path);
	return library ? &library->object : NULL;
}

const struct strv *libraries_paths(struct libraries *l, const char *path)
{
	static const struct strv none = STRV_INIT;
	struct library *library = library_at(&l->files, path);
	return library ? library_paths(&l->files, library) : &none;
}

/* The loader that @of names, or its machine's. */
static const struct loader *loader_of(struct libraries *l, const struct library *of)
{
	const struct machine *m = of->machine;
	const char *path = of->object.interp;
	CLEANUP_STR char *key = xasprintf("%u %d %s", m->em, m->wide, path ? path : "");
	struct known_loader *k;

	HASH_FIND_STR(l->loaders, key, k);
	if (k)
		return k->loader;
	k = xcalloc(1, sizeof(*k));
	*k = (struct known_loader){.key = steal_ptr(key), .loader = loader_new(l->root, path, m)};
	HASH_ADD_KEYPTR(hh, l->loaders, k->key, strlen(k->key), k);
	return k->loader;
}

static bool is_set_id(const struct library *program)
{
	return program->mode & (S_ISUID | S_ISGID);
}

static struct closure *program_closure(struct libraries *l, struct library *program)
{
	struct strv preload CLEANUP_STRV = STRV_INIT;
	const struct loader *loader = loader_of(l, program);
	struct known_program *p;

	HASH_FIND_STR(l->programs, program->path, p);
	if (p)
		return p->closure;
	if (!is_set_id(program))
		strv_add_all(&preload, &l->preload);
	if (loader->kind == LOADER_GLIBC)
		strv_add_all(&preload, &l->preload_file);
	p = xcalloc(1, sizeof(*p));
	p->path = program->path;
	p->closure = closure_new(&l->search, loader, program, NULL, &preload);
	HASH_ADD_KEYPTR(hh, l->programs, p->path, strlen(p->path), p);
	return p->closure;
}

/* The closure of @module where @program has loaded it; of a module alone where that cannot be. */
static struct closure *module_closure(struct libraries *l, struct library *module,
				      const char *program)
{
	static const struct strv nothing = STRV_INIT;
	struct library *in = program ? library_at(&l->files, program) : NULL;

	if (!in || !in->object.interp || !machine_fits(in->machine, module->machine))
		return closure_new(&l->search, loader_of(l, module), module, NULL, &nothing);
	struct closure *c = program_closure(l, in);
	return closure_new(&l->search, c->loader, module, c, &nothing);
}

static void take_members(struct evidence *ev, const struct closure *c, struct strv *missing)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct member *m = c->v[i];
		m->loaded.library->taken = true;
		if (!m->relation)
			continue;
		const char *by = m->by->loaded.library->path;
		evidence_take(ev, m->path, REASON_NEEDED, by, "%s %s (%s, %s)", m->relation, by,
			      m->name, m->how);
	}
	for (size_t i = 0; missing && i < c->missing.n; i++)
		if (!strv_has(missing, c->missing.v[i]))
			strv_add(missing, c->missing.v[i]);
}

static void take_program(struct libraries *l, struct evidence *ev, struct library *program,
			 struct strv *missing)
{
	struct closure *c = program_closure(l, program);
	const char *read[] = {l->preload_file.n ? PRELOAD_PATH : NULL, c->loader->path_file};

	if (c->taken)
		return;
	c->taken = true;
	evidence_take(ev, program->object.interp, REASON_INTERPRETER, program->path,
		      "interpreter of %s", program->path);
	for (size_t i = 0; i < ARRAY_LEN(read); i++)
		if (read[i])
			evidence_take(ev, read[i], REASON_NEEDED, program->path,
				      "read by the loader of %s", program->path);
	take_members(ev, c, missing);
}

int libraries_take(struct libraries *l, struct evidence *ev, const char *path, const char *program,
		   struct strv *missing)
{
	struct library *of = library_at(&l->files, path);

	if (!of)
		return -ENOEXEC;
	if (of->taken || !(of->object.dynamic || of->object.interp))
		return 0;
	if (of->object.interp) {
		take_program(l, ev, of, missing);
	} else {
		struct closure *c CLEANUP_CLOSURE = module_closure(l, of, program);
		take_members(ev, c, missing);
	}
	return 0;
}

long long libraries_weight(struct libraries *l, const struct evidence *ev, const char *path,
			   const char *program)
{
	struct library *of = library_at(&l->files, path);
	struct closure *c CLEANUP_CLOSURE = of ? module_closure(l, of, program) : NULL;
	long long bytes = 0;

	for (size_t i = 0; c && i < c->n; i++) {
		const struct library *member = c->v[i]->loaded.library;
		if (member != of && !evidence_find(ev, member->path))
			bytes += member->size;
	}
	return bytes;
}

char *libraries_find(struct libraries *l, const char *path, const char *name)
{
	struct library *of = library_at(&l->files, path);
	struct found_list found CLEANUP_FOUND = {0};

	if (!of)
		return NULL;
	const struct loader *loader = loader_of(l, of);
	if (loader_is_library(loader, name))
		return loader->path ? xstrdup(loader->path) : NULL;
	CLEANUP_STR char *origin = path_parent(of->path);
	const struct loaded by = {.library = of, .origin = origin};
	search_find(&l->search, loader, &by, name, &found);
	return found.n ? xstrdup(found.v[found.n - 1].path) : NULL;
}
