/* SPDX-License-Identifier: MIT */
#include "foresee/families-parts.h"

#include <fnmatch.h>
#include <stdarg.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/path.h"
#include "host/host.h"

#define TEXT_MAX    (1u << 20)
#define MATCHES_MAX 2048

bool part_matches(const char *const *globs, const char *s)
{
	for (; globs && *globs; globs++)
		if (fnmatch(*globs, s, 0) == 0)
			return true;
	return false;
}

const char *part_env(const struct families *f, const char *name)
{
	const char *value = f->c.environment ? env_get(f->c.environment, name) : NULL;
	return value && *value ? value : NULL;
}

bool part_is_file(const struct families *f, const char *path)
{
	CLEANUP_STR char *end = NULL;
	struct stat st;
	return host_resolve(f->c.ev->host, path, &end, &st, NULL) == 0 && S_ISREG(st.st_mode);
}

char *part_read(const struct families *f, const char *path, char **ret_path)
{
	CLEANUP_STR char *end = NULL;
	char *text = NULL;

	if (host_resolve(f->c.ev->host, path, &end, NULL, NULL) < 0 ||
	    host_read(f->c.ev->host, end, TEXT_MAX, &text, NULL) < 0)
		return NULL;
	if (ret_path)
		*ret_path = steal_ptr(end);
	return text;
}

/* A socket is another service's door, and what lies in /run changes while the jail runs. */
static void note_live(struct families *f, const char *path, const char *text)
{
	CLEANUP_STR char *end = NULL;
	struct stat st;

	if (host_resolve(f->c.ev->host, path, &end, &st, NULL) < 0)
		return;
	if (S_ISSOCK(st.st_mode))
		evidence_pass(f->c.ev, end, "%s; it is the socket of another service", text);
	else if (path_within(end, "/run"))
		evidence_pass(f->c.ev, end, "%s; what lies in /run changes under a copy", text);
}

static const struct node *take_text(struct families *f, const char *from, const char *pattern,
				    const char *text)
{
	struct strv paths CLEANUP_STRV = STRV_INIT;
	const struct node *last = NULL;

	host_glob(f->c.ev->host, pattern, MATCHES_MAX, &paths);
	for (size_t i = 0; i < paths.n; i++) {
		const struct node *n =
		    evidence_take(f->c.ev, paths.v[i], REASON_FAMILY, from, "%s", text);
		note_live(f, paths.v[i], text);
		if (n)
			last = n;
	}
	return last;
}

const struct node *part_take(struct families *f, const struct met *m, const char *pattern)
{
	CLEANUP_STR char *text = xasprintf("family %s: %s", m->row->family, m->cause);
	return take_text(f, m->object, pattern, text);
}

const struct node *part_take_for(struct families *f, const struct met *m, const char *from,
				 const char *pattern, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	CLEANUP_STR char *said = xvasprintf(fmt, ap);
	va_end(ap);
	CLEANUP_STR char *text = xasprintf("family %s: %s, and %s", m->row->family, m->cause, said);
	return take_text(f, from, pattern, text);
}

/* Adds the directories of the list @path that match. */
static void add_matching(const char *path, const char *pattern, struct strv *ret)
{
	CLEANUP_STR char *list = xstrdup(path);
	char *save = NULL;

	for (char *p = strtok_r(list, ":", &save); p; p = strtok_r(NULL, ":", &save)) {
		CLEANUP_STR char *dir = p[0] == '/' ? path_normal(p) : NULL;
		if (dir && fnmatch(pattern, dir, 0) == 0 && !strv_has(ret, dir))
			strv_add(ret, dir);
	}
}

/* As found, not canonical: what stands beside it is named with the same links on the way. */
static char *find_library(struct families *f, const struct met *m, const char *const *names)
{
	char *found = NULL;

	for (; !found && *names; names++)
		found = libraries_find(f->c.libraries, m->object, *names);
	return found;
}

void part_compiled(struct families *f, const struct met *m, const char *const *libraries,
		   const char *pattern, const char *sibling, struct strv *ret)
{
	CLEANUP_STR char *found = find_library(f, m, libraries);
	size_t before = ret->n;

	if (!found)
		return;
	const struct strv *paths = libraries_paths(f->c.libraries, found);
	for (size_t i = 0; i < paths->n; i++)
		add_matching(paths->v[i], pattern, ret);
	if (ret->n == before && sibling) {
		CLEANUP_STR char *dir = path_parent(found);
		strv_take(ret, path_join(dir, sibling));
	}
}

void part_take_modules(struct families *f, const struct met *m, const struct module_dir *dir)
{
	struct strv dirs CLEANUP_STRV = STRV_INIT;

	part_compiled(f, m, dir->libraries, dir->dir, dir->sibling, &dirs);
	for (size_t i = 0; i < dirs.n; i++) {
		CLEANUP_STR char *pattern = path_join(dirs.v[i], dir->files);
		part_take(f, m, pattern);
	}
}

/* The value of a variable: a file, a directory, or several with ":" between. */
static void take_variable(struct families *f, const struct met *m, const char *name)
{
	const char *value = part_env(f, name);
	CLEANUP_STR char *list = value ? xstrdup(value) : NULL;
	char *save = NULL;

	for (char *p = list ? strtok_r(list, ":", &save) : NULL; p; p = strtok_r(NULL, ":", &save))
		if (p[0] == '/')
			part_take_for(f, m, m->object, p, "%s of the environment names it", name);
}

static void take_opened(struct families *f, const struct met *m, const char *name)
{
	CLEANUP_STR char *path = libraries_find(f->c.libraries, m->object, name);
	if (path)
		part_take(f, m, path);
}

void part_take_lists(struct families *f, const struct met *m)
{
	const struct family_row *row = m->row;

	for (const char *const *p = row->files; p && *p; p++)
		part_take(f, m, *p);
	for (const char *const *p = row->variables; p && *p; p++)
		take_variable(f, m, *p);
	for (const char *const *p = row->opens; p && *p; p++)
		take_opened(f, m, *p);
	if (row->modules.libraries)
		part_take_modules(f, m, &row->modules);
}
