/* SPDX-License-Identifier: MIT */
#include "ld/search.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "host/host.h"
#include "ld/ld-conf.h"
#include "ld/ld-token.h"

#define CACHE_PATH  "/etc/ld.so.cache"
#define CONF_PATH   "/etc/ld.so.conf"
#define HWCAPS_DIR  "glibc-hwcaps"
#define CACHE_MAX   (64u << 20)
#define SUBDIRS_MAX 64 /* of one directory */

/* A library directory that was searched, and those below it for some CPUs. */
struct search_dir {
	char *key; /* "MACHINE DIR" */
	struct strv subdirs;
	UT_hash_handle hh;
};

/* One question. */
struct asking {
	struct search *s;
	const struct loader *loader;
	const struct loaded *by, *program;
	const char *name;
	struct found_list *ret;
	bool done; /* a file for every CPU was found */
};

static void read_cache(struct search *s)
{
	int root = s->files->root;
	size_t len;

	if (host_read_path(root, CACHE_PATH, CACHE_MAX, &s->cache_bytes, &len) < 0 ||
	    ld_cache_parse(s->cache_bytes, len, &s->cache, NULL) < 0)
		ld_conf_read(root, CONF_PATH, &s->conf_dirs, NULL);
}

void search_open(struct search *s, struct library_files *files, const char *library_path)
{
	*s = (struct search){.files = files, .library_path = library_path};
	read_cache(s);
}

void search_done(struct search *s)
{
	struct search_dir *d, *next;

	HASH_ITER(hh, s->dirs, d, next)
	{
		HASH_DEL(s->dirs, d);
		strv_done(&d->subdirs);
		free(d->key);
		free(d);
	}
	ld_cache_done(&s->cache);
	strv_done(&s->conf_dirs);
	free(s->cache_bytes);
}

void found_list_done(struct found_list *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].path);
		free(f->v[i].how);
	}
	free(f->v);
}

static bool is_known(const struct found_list *f, const struct library *l)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].library == l)
			return true;
	return false;
}

/* Takes the file at @path if it fits; @sure: whatever the CPU. */
static void try_file(struct asking *a, const char *path, bool sure, const char *how)
{
	struct library *l = library_at(a->s->files, path);

	if (!l || l->object.big != a->by->library->object.big ||
	    !machine_fits(a->loader->machine, l->machine))
		return;
	a->done = sure;
	if (is_known(a->ret, l))
		return;
	a->ret->v = xrealloc(a->ret->v, a->ret->n + 1, sizeof(*a->ret->v));
	a->ret->v[a->ret->n++] = (struct found){l, xstrdup(path), xstrdup(how)};
}

static bool is_directory(int root, const char *path)
{
	CLEANUP_STR char *end = NULL;
	struct stat st;
	return host_resolve(root, path, &end, &st, NULL) == 0 && S_ISDIR(st.st_mode);
}

/* "DIR/glibc-hwcaps/x86-64-v3" and its kin, from the highest level down. */
static void add_hwcaps(int root, const char *dir, struct strv *ret)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *top = path_join(dir, HWCAPS_DIR);
	CLEANUP_STR char *end = NULL;

	if (host_resolve(root, top, &end, NULL, NULL) < 0 || host_names(root, end, &names) < 0)
		return;
	for (size_t i = names.n; i > 0 && ret->n < SUBDIRS_MAX; i--)
		strv_take(ret, path_join(top, names.v[i - 1]));
}

/* "DIR/tls/haswell/x86_64": the older names stand in each other in any order. */
static void add_legacy(int root, const struct machine *m, const char *dir, struct strv *ret)
{
	const char *const *lists[] = {m->platforms, m->subdirs};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (const char *const *name = lists[i]; *name && ret->n < SUBDIRS_MAX; name++) {
			CLEANUP_STR char *sub = path_join(dir, *name);
			if (!is_directory(root, sub))
				continue;
			add_legacy(root, m, sub, ret);
			strv_add(ret, sub);
		}
}

static const struct strv *subdirs_of(struct search *s, const struct machine *m, const char *dir)
{
	CLEANUP_STR char *key = xasprintf("%u %d %s", m->em, m->wide, dir);
	struct search_dir *d;

	HASH_FIND_STR(s->dirs, key, d);
	if (d)
		return &d->subdirs;
	d = xcalloc(1, sizeof(*d));
	d->key = steal_ptr(key);
	if (is_directory(s->files->root, dir)) {
		add_hwcaps(s->files->root, dir, &d->subdirs);
		add_legacy(s->files->root, m, dir, &d->subdirs);
	}
	HASH_ADD_KEYPTR(hh, s->dirs, d->key, strlen(d->key), d);
	return &d->subdirs;
}

static void try_dir(struct asking *a, const char *dir, bool sure, const char *how)
{
	if (a->done || dir[0] != '/')
		return;
	if (a->loader->kind == LOADER_GLIBC) {
		const struct strv *subdirs = subdirs_of(a->s, a->loader->machine, dir);
		for (size_t i = 0; i < subdirs->n; i++) {
			CLEANUP_STR char *path = path_join(subdirs->v[i], a->name);
			try_file(a, path, false, how);
		}
	}
	CLEANUP_STR char *path = path_join(dir, a->name);
	try_file(a, path, sure, how);
}

static void try_dirs(struct asking *a, const struct strv *dirs, const char *how)
{
	for (size_t i = 0; i < dirs->n; i++)
		try_dir(a, dirs->v[i], true, how);
}

static void expand(const struct asking *a, const struct loaded *of, const char *text,
		   struct strv *ret)
{
	const struct ld_tokens t = {of->origin, a->loader->lib, a->loader->machine->platforms};
	ld_token_expand(text, &t, ret);
}

/* A search path in the text of an object or of the environment. */
static void try_list(struct asking *a, const char *list, const char *separators,
		     const struct loaded *of, bool sure, const char *how)
{
	for (list += strspn(list, separators); *list; list += strspn(list, separators)) {
		struct strv dirs CLEANUP_STRV = STRV_INIT;
		size_t n = strcspn(list, separators);
		CLEANUP_STR char *one = xstrndup(list, n);
		expand(a, of, one, &dirs);
		for (size_t i = 0; i < dirs.n; i++)
			try_dir(a, dirs.v[i], sure && dirs.n == 1, how);
		list += n;
	}
}

static void try_tag(struct asking *a, const char *tag, const char *list, const struct loaded *of)
{
	CLEANUP_STR char *how = xasprintf("by %s of %s", tag, of->library->path);
	if (list)
		try_list(a, list, ":", of, true, how);
}

static void try_environment(struct asking *a, const char *separators)
{
	bool set_id = a->program->library->mode & (S_ISUID | S_ISGID);
	if (a->s->library_path)
		try_list(a, a->s->library_path, separators, a->program, !set_id,
			 "by LD_LIBRARY_PATH");
}

static bool in_default_dir(const struct loader *l, const char *path)
{
	for (size_t i = 0; i < l->dirs.n; i++)
		if (path_within(path, l->dirs.v[i]))
			return true;
	return false;
}

static bool cache_flags_fit(const struct machine *m, uint32_t flags)
{
	return flags == m->cache || (m->cache_also && flags == m->cache_also);
}

/* Of the entries for any CPU the first alone counts, even where its file is gone. */
static void try_cache(struct asking *a, bool no_default)
{
	const struct ld_cache *c = &a->s->cache;
	size_t first, n = a->done ? 0 : ld_cache_find(c, a->name, &first);

	for (size_t i = 0; i < n; i++) {
		const struct ld_cache_entry *entry = &c->v[first + i];
		bool sure = entry->hwcap == 0;
		if (!cache_flags_fit(a->loader->machine, entry->flags))
			continue;
		if (!no_default || !in_default_dir(a->loader, entry->path))
			try_file(a, entry->path, sure, "by ld.so.cache");
		if (sure)
			return;
	}
}

static void ask_glibc(struct asking *a)
{
	const struct elf_object *o = &a->by->library->object;

	for (const struct loaded *l = o->runpath ? NULL : a->by; l; l = l->loader)
		if (!l->library->object.runpath)
			try_tag(a, "RPATH", l->library->object.rpath, l);
	try_environment(a, ":;");
	try_tag(a, "RUNPATH", o->runpath, a->by);
	try_cache(a, o->nodeflib);
	try_dirs(a, &a->s->conf_dirs, "by ld.so.conf");
	if (!o->nodeflib)
		try_dirs(a, &a->loader->dirs, "in a default directory");
}

static void ask_musl(struct asking *a)
{
	CLEANUP_STR char *how = a->loader->path_file ? xasprintf("by %s", a->loader->path_file)
						     : xstrdup("in a default directory");

	try_environment(a, ":\n");
	for (const struct loaded *l = a->by; l; l = l->loader) {
		const struct elf_object *o = &l->library->object;
		const char *tag = o->runpath ? "RUNPATH" : "RPATH";
		try_tag(a, tag, o->runpath ? o->runpath : o->rpath, l);
	}
	try_dirs(a, &a->loader->dirs, how);
}

/* A name with a slash is a path. */
static void ask_path(struct asking *a)
{
	struct strv paths CLEANUP_STRV = STRV_INIT;

	expand(a, a->by, a->name, &paths);
	for (size_t i = 0; i < paths.n; i++)
		if (paths.v[i][0] == '/')
			try_file(a, paths.v[i], paths.n == 1, "by its path");
}

void search_find(struct search *s, const struct loader *loader, const struct loaded *by,
		 const char *name, struct found_list *ret)
{
	static void (*const ask[])(struct asking *
				   a) = {[LOADER_GLIBC] = ask_glibc, [LOADER_MUSL] = ask_musl};
	struct asking a = {
	    .s = s, .loader = loader, .by = by, .program = by, .name = name, .ret = ret};

	while (a.program->loader)
		a.program = a.program->loader;
	if (!name[0])
		return;
	(strchr(name, '/') ? ask_path : ask[loader->kind])(&a);
}
