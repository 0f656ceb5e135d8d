/* SPDX-License-Identifier: MIT */
#include "ld/loader.h"

#include <limits.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/path.h"
#include "host/host.h"

#define LOADER_MAX    (16u << 20) /* bytes; honest ones have 0.2 to 2 MB */
#define DIRS_MAX      16
#define PATH_FILE_MAX 65536
#define MUSL_DIRS     "/lib:/usr/local/lib:/usr/lib"

/* Length of the directory at @p, its slash included, if a NUL follows within @room; else 0. */
static size_t dir_length(const char *p, size_t room)
{
	size_t n = strnlen(p, room < PATH_MAX ? room : PATH_MAX);
	bool whole = n < room && n < PATH_MAX;
	return whole && n > 1 && p[0] == '/' && p[n - 1] == '/' && strstr(p, "/lib") ? n : 0;
}

void loader_builtin_dirs(const char *bytes, size_t len, struct strv *ret)
{
	const char *p = bytes, *end = bytes + len;
	size_t n = 0;

	while (!n && (p = memmem(p, (size_t)(end - p), "\0/", 2))) {
		p++;
		n = dir_length(p, (size_t)(end - p));
	}
	for (; n && ret->n < DIRS_MAX; n = dir_length(p, (size_t)(end - p))) {
		strv_take(ret, xstrndup(p, n - 1));
		p += n + 1;
	}
}

static void add_possible_dirs(const struct machine *m, struct strv *ret)
{
	static const char *const tops[] = {"/lib", "/usr/lib"};
	static const char *const prefixes[] = {"", "/usr"};

	for (size_t i = 0; m->triplet && i < ARRAY_LEN(tops); i++)
		strv_take(ret, path_join(tops[i], m->triplet));
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		strv_take(ret, path_join(prefixes[i], m->lib));
	for (size_t i = 0; i < ARRAY_LEN(tops); i++)
		if (!strv_has(ret, tops[i]))
			strv_add(ret, tops[i]);
}

/* From the last "/lib" of the first directory on: "lib64", "lib/x86_64-linux-gnu". */
static char *lib_of(const char *dir)
{
	const char *lib = dir, *next;

	while ((next = strstr(lib + 1, "/lib")))
		lib = next;
	return xstrdup(lib + 1);
}

static void read_glibc(int root, struct loader *l)
{
	CLEANUP_STR char *bytes = NULL;
	size_t len;

	if (l->path && host_read_path(root, l->path, LOADER_MAX, &bytes, &len) == 0)
		loader_builtin_dirs(bytes, len, &l->dirs);
	if (!l->dirs.n)
		add_possible_dirs(l->machine, &l->dirs);
	l->lib = lib_of(l->dirs.v[0]);
}

/* musl's dynlink.c: the path file lies in the etc beside the directory of the loader. */
static void read_musl(int root, struct loader *l)
{
	CLEANUP_STR char *dir = path_parent(l->path);
	CLEANUP_STR char *prefix = path_parent(dir);
	const char *name = str_after(path_base(l->path), "ld-");
	CLEANUP_STR char *file = xasprintf("%s/etc/ld-%.*s.path", streq(prefix, "/") ? "" : prefix,
					   (int)(strcspn(name, ".")), name);
	CLEANUP_STR char *text = NULL;

	l->lib = xstrdup("lib");
	if (host_read_path(root, file, PATH_FILE_MAX, &text, NULL) == 0)
		l->path_file = steal_ptr(file);
	strv_split(&l->dirs, text ? text : MUSL_DIRS, ":\n");
}

static char *usual_path(int root, const struct machine *m)
{
	CLEANUP_STR char *musl = m->musl ? xasprintf("/lib/ld-musl-%s.so.1", m->musl) : NULL;
	const char *candidates[ARRAY_LEN(m->loaders) + 1];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(m->loaders) && m->loaders[i]; i++)
		candidates[n++] = m->loaders[i];
	if (musl)
		candidates[n++] = musl;
	for (size_t i = 0; i < n; i++) {
		CLEANUP_STR char *end = NULL;
		if (host_resolve(root, candidates[i], &end, NULL, NULL) == 0)
			return xstrdup(candidates[i]);
	}
	return NULL;
}

struct loader *loader_new(int root, const char *path, const struct machine *m)
{
	struct loader *l = xcalloc(1, sizeof(*l));

	l->machine = m;
	l->path = path ? xstrdup(path) : usual_path(root, m);
	if (l->path && str_after(path_base(l->path), "ld-musl-"))
		l->kind = LOADER_MUSL;
	(l->kind == LOADER_MUSL ? read_musl : read_glibc)(root, l);
	return l;
}

bool loader_is_library(const struct loader *l, const char *name)
{
	static const char *const parts[] = {"libc.",  "libpthread.", "librt.",	"libm.",
					    "libdl.", "libutil.",    "libxnet."};

	for (size_t i = 0; l->kind == LOADER_MUSL && i < ARRAY_LEN(parts); i++)
		if (str_after(name, parts[i]))
			return true;
	return false;
}

void loader_free(struct loader *l)
{
	if (!l)
		return;
	strv_done(&l->dirs);
	free(l->path);
	free(l->lib);
	free(l->path_file);
	free(l);
}
