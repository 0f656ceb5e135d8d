/* SPDX-License-Identifier: MIT */
#include "foresee/modules.h"

#include <string.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/path.h"
#include "host/host.h"
#include "host/places.h"

#define MATCHES_MAX 1000 /* of one pattern */
#define ABOVE_MAX   8	 /* directories above a script that are looked in */

/* "/usr" of "/usr/bin/perl", and where nothing else is known. New. */
static char *prefix_of(const char *program)
{
	CLEANUP_STR char *dir = program ? path_parent(program) : xstrdup("/usr/bin");
	char *prefix = path_parent(dir);

	if (!streq(prefix, "/"))
		return prefix;
	free(prefix);
	return xstrdup("/usr");
}

/* "3.11" of "/usr/bin/python3.11"; "3*" of "python3"; "*". New. */
static char *version_of(const char *program)
{
	const char *name = program ? path_base(program) : "";
	const char *version = name + strcspn(name, "0123456789");
	size_t n = strspn(version, "0123456789.");
	bool whole = memchr(version, '.', n);

	return xasprintf("%.*s%s", (int)n, version, whole ? "" : "*");
}

/* @pattern with "%p" and "%v" put in, new. */
static char *fill(const char *pattern, const char *prefix, const char *version)
{
	char *out = xstrdup("");

	while (*pattern) {
		size_t n = strcspn(pattern, "%");
		const char *value = pattern[n] != '%'	    ? ""
				    : pattern[n + 1] == 'p' ? prefix
							    : version;
		char *more = xasprintf("%s%.*s%s", out, (int)n, pattern, value);
		free(out);
		out = more;
		pattern += n + (pattern[n] ? 2 : 0);
	}
	return out;
}

static void glob_all(int root, const char *const *patterns, const char *prefix, const char *version,
		     struct strv *ret)
{
	for (; patterns && *patterns; patterns++) {
		CLEANUP_STR char *pattern = fill(*patterns, prefix, version);
		host_glob(root, pattern, MATCHES_MAX, ret);
	}
}

void modules_glob(int root, const char *const *patterns, const char *program, struct strv *ret)
{
	CLEANUP_STR char *prefix = prefix_of(program);
	CLEANUP_STR char *version = version_of(program);

	glob_all(root, patterns, prefix, version, ret);
}

static void add_prefix(struct modules *m, const char *prefix, const char *version)
{
	struct strv core CLEANUP_STRV = STRV_INIT;

	glob_all(m->root, m->in->core_dirs, prefix, version, &core);
	if (m->in->core_first)
		strv_add_all(&m->dirs, &core);
	glob_all(m->root, m->in->dirs, prefix, version, &m->dirs);
	if (!m->in->core_first)
		strv_add_all(&m->dirs, &core);
	for (size_t i = 0; i < core.n; i++) {
		char *end;
		if (host_resolve(m->root, core.v[i], &end, NULL, NULL) == 0)
			strv_take(&m->core, end);
	}
}

/* The prefix of a virtual environment, whose program is a link to another's. */
static void add_environment(struct modules *m, const char *written, const char *version)
{
	CLEANUP_STR char *prefix = prefix_of(written);
	CLEANUP_STR char *mark = path_join(prefix, m->in->mark);
	CLEANUP_STR char *end = NULL;

	if (host_resolve(m->root, mark, &end, NULL, NULL) < 0)
		return;
	add_prefix(m, prefix, version);
	m->mark = steal_ptr(mark);
}

void modules_open(struct modules *m, int root, const struct interpreter *in, const char *program,
		  const char *written)
{
	CLEANUP_STR char *prefix = prefix_of(program);
	CLEANUP_STR char *version = version_of(program);

	*m = (struct modules){.root = root, .in = in};
	if (written && in->mark)
		add_environment(m, written, version);
	add_prefix(m, prefix, version);
}

void modules_done(struct modules *m)
{
	strv_done(&m->dirs);
	strv_done(&m->core);
	strv_done(&m->above);
	free(m->beside);
	free(m->mark);
}

static bool is_file(int root, const char *path)
{
	CLEANUP_STR char *end = NULL;
	struct stat st;
	return host_resolve(root, path, &end, &st, NULL) == 0 && S_ISREG(st.st_mode);
}

static bool find_beside(const struct modules *m, const char *name)
{
	CLEANUP_STR char *path = path_join(m->beside, name);
	return is_file(m->root, path);
}

void modules_stand(struct modules *m, const char *path)
{
	free(m->beside);
	m->beside = path_parent(path);
	m->member = m->in->form->member && find_beside(m, m->in->form->member);
	strv_done(&m->above);
	CLEANUP_STR char *dir = path_parent(m->beside);
	while (m->above.n < ABOVE_MAX && path_depth(dir) > 1 && !place_never_whole(dir)) {
		strv_add(&m->above, dir);
		char *up = path_parent(dir);
		free(dir);
		dir = up;
	}
}

/* A directory of a list or a script: relative ones start beside it. */
static void add_dir(const struct modules *m, const char *dir, struct strv *ret)
{
	if (dir[0] == '/')
		strv_add(ret, dir);
	else if (m->beside && *dir)
		strv_take(ret, path_join(m->beside, dir));
}

static void add_listed(const struct modules *m, const char *list, struct strv *ret)
{
	CLEANUP_STR char *dirs = xstrdup(list);
	char *rest = dirs, *dir;

	while ((dir = strsep(&rest, ":")))
		add_dir(m, dir, ret);
}

void modules_add_dirs(struct modules *m, const struct strv *environment, const struct strv *dirs)
{
	struct strv all = STRV_INIT;
	const char *name = m->in->environment;
	const char *value = name ? env_get(environment, name) : NULL;

	for (size_t i = 0; i < dirs->n; i++)
		add_dir(m, dirs->v[i], &all);
	if (value)
		add_listed(m, value, &all);
	strv_add_all(&all, &m->dirs);
	strv_done(&m->dirs);
	m->dirs = all;
}

/* Length of the longest of @dirs that holds @path. */
static size_t longest(const struct strv *dirs, const char *path)
{
	size_t n = 0;

	for (size_t i = 0; i < dirs->n; i++)
		if (path_within(path, dirs->v[i]) && strlen(dirs->v[i]) > n)
			n = strlen(dirs->v[i]);
	return n;
}

bool modules_has_core(const struct modules *m, const char *path)
{
	/* site-packages may lie in the core library's own directory. */
	return longest(&m->core, path) > 0 && longest(&m->core, path) >= longest(&m->dirs, path);
}

/* @form with each "%" as @name, new. */
static char *name_file(const char *form, const char *name)
{
	const char *at = strchr(form, '%');
	return xasprintf("%.*s%s%s", (int)(at - form), form, name, at + 1);
}

/* Adds the files that @dir/@form matches. Returns whether there are some. */
static bool find_in(const struct modules *m, const char *dir, const char *form, const char *name,
		    struct strv *ret)
{
	struct strv found CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *file = name_file(form, name);
	CLEANUP_STR char *path = path_join(dir, file);
	size_t before = ret->n;

	if (strchr(file, '*'))
		host_glob(m->root, path, MATCHES_MAX, &found);
	else
		strv_add(&found, path);
	for (size_t i = 0; i < found.n; i++)
		if (is_file(m->root, found.v[i]))
			strv_add(ret, found.v[i]);
	return ret->n > before;
}

static void add_compiled(const struct modules *m, const char *file, struct strv *ret)
{
	CLEANUP_STR char *dir = path_parent(file);
	const char *base = path_base(file);
	CLEANUP_STR char *stem = xstrndup(base, strcspn(base, "."));

	find_in(m, dir, m->in->form->compiled, stem, ret);
}

/* The module's file in the first of the directories that has it: which, or NULL. */
static const char *find_file(const struct modules *m, const struct strv *dirs, const char *name,
			     struct strv *ret)
{
	for (size_t i = 0; i < dirs->n; i++)
		for (const char *const *form = m->in->form->files; *form; form++)
			if (find_in(m, dirs->v[i], *form, name, ret))
				return dirs->v[i];
	return NULL;
}

/* What comes along stands where the module does, else in another of the directories. */
static void add_with(const struct modules *m, const struct strv *dirs, const char *dir,
		     const char *name, struct strv *ret)
{
	for (const char *const *form = m->in->form->with; form && *form; form++) {
		bool found = find_in(m, dir, *form, name, ret);
		for (size_t i = 0; !found && i < dirs->n; i++)
			found = find_in(m, dirs->v[i], *form, name, ret);
	}
}

static void find_one(const struct modules *m, const struct strv *dirs, const char *name,
		     struct strv *ret)
{
	size_t before = ret->n;
	const char *dir = find_file(m, dirs, name, ret);

	if (dir && m->in->form->compiled)
		add_compiled(m, ret->v[before], ret);
	if (dir)
		add_with(m, dirs, dir, name, ret);
}

/* "@scope/name/lib/x" and "name/lib/x": how much is the package's name. */
static size_t package_length(const char *name)
{
	size_t n = strcspn(name, "/");

	if (name[0] == '@' && name[n])
		n += 1 + strcspn(name + n + 1, "/");
	return n;
}

static void find_package(const struct modules *m, const struct strv *dirs, const char *name,
			 struct strv *ret)
{
	CLEANUP_STR char *package = xstrndup(name, package_length(name));

	for (size_t i = 0; i < dirs->n; i++) {
		CLEANUP_STR char *holder = path_join(dirs->v[i], m->in->form->packages);
		CLEANUP_STR char *within = path_join(holder, package);
		CLEANUP_STR char *direct = path_join(dirs->v[i], package);
		bool listed = strv_has(&m->dirs, dirs->v[i]);
		const char *dir = listed ? direct : within;
		CLEANUP_STR char *end = NULL;
		struct stat st;
		if (host_resolve(m->root, dir, &end, &st, NULL) < 0 || !S_ISDIR(st.st_mode))
			continue;
		strv_add(ret, dir);
		return;
	}
}

/* @name with its separators as slashes, new. */
static char *as_path(const struct module_form *form, const char *name)
{
	const size_t n = strlen(form->separator);
	char *path = xstrdup(name), *to = path;

	for (const char *c = name; *c;) {
		bool separates = strncmp(c, form->separator, n) == 0;
		*to++ = separates ? '/' : *c;
		c += separates ? n : 1;
	}
	*to = '\0';
	return path;
}

static void find_parts(const struct modules *m, const struct strv *dirs, const char *path,
		       struct strv *ret)
{
	for (const char *slash = path; m->in->form->parents && (slash = strchr(slash, '/'));
	     slash++) {
		CLEANUP_STR char *parent = xstrndup(path, (size_t)(slash - path));
		if (*parent)
			find_one(m, dirs, parent, ret);
	}
	find_one(m, dirs, path, ret);
}

/* ".name", "..name": from the script's directory, one up for each further dot. */
static void find_dotted(const struct modules *m, const char *name, struct strv *ret)
{
	struct strv dirs CLEANUP_STRV = STRV_INIT;
	const char *rest = name + strspn(name, ".");
	CLEANUP_STR char *path = as_path(m->in->form, rest);
	CLEANUP_STR char *dir = xstrdup(m->beside);

	for (const char *dot = name + 1; dot < rest; dot++) {
		char *up = path_parent(dir);
		free(dir);
		dir = up;
	}
	strv_add(&dirs, dir);
	if (*path)
		find_parts(m, &dirs, path, ret);
}

/* "/x", "./x", "../x": in one place. */
static void find_path(const struct modules *m, const char *name, struct strv *ret)
{
	struct strv dirs CLEANUP_STRV = STRV_INIT;

	if (name[0] != '/' && !m->beside)
		return;
	strv_add(&dirs, name[0] == '/' ? "/" : m->beside);
	find_one(m, &dirs, name + strspn(name, "/"), ret);
}

static void find_named(const struct modules *m, const char *name, struct strv *ret)
{
	struct strv dirs CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *path = as_path(m->in->form, name);

	if (m->beside && !m->member)
		strv_add(&dirs, m->beside);
	strv_add_all(&dirs, &m->dirs);
	strv_add_all(&dirs, &m->above);
	find_parts(m, &dirs, path, ret);
	if (m->in->form->packages)
		find_package(m, &dirs, name, ret);
}

void modules_find(const struct modules *m, const char *name, struct strv *ret)
{
	if (!*name || strpbrk(name, "*?[\\$"))
		return;
	if (m->in->form->dots && name[0] == '.' && m->beside)
		find_dotted(m, name, ret);
	else if (name[0] == '/' || str_after(name, "./") || str_after(name, "../"))
		find_path(m, name, ret);
	else
		find_named(m, name, ret);
}
