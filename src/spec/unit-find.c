/* SPDX-License-Identifier: MIT */
#include "spec/unit-find.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/nearest.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "spec/unit.h"

#define SUFFIX	 ".service"
#define HOPS_MAX 8

/* The first that has a name wins. */
static const char *const load_path[] = {"/etc/systemd/system", "/run/systemd/system",
					"/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
					"/lib/systemd/system"};

void unit_files_done(struct unit_files *f)
{
	free(f->id);
	free(f->fragment);
	strv_done(&f->drop_ins);
	*f = (struct unit_files)UNIT_FILES_INIT;
}

static bool is_unit_name(const char *name)
{
	size_t n = 0;

	while (isalnum((unsigned char)name[n]) || (name[n] && strchr(":-_.\\@", name[n])))
		n++;
	return n && !name[n] && n < NAME_MAX && str_ends(name, SUFFIX) && name[0] != '@';
}

/* "foo@.service" of "foo@bar.service", new; NULL where @name is no instance. */
static char *template_of(const char *name)
{
	const char *at = strchr(name, '@');

	if (!at || streq(at + 1, SUFFIX))
		return NULL;
	return xasprintf("%.*s@" SUFFIX, (int)(at - name), name);
}

/* Template @target with the instance of @name, new; @target as it is where it is no template. */
static char *with_instance(const char *target, const char *name)
{
	const char *at = strchr(target, '@'), *instance = strchr(name, '@');

	if (!at || !streq(at + 1, SUFFIX) || !instance)
		return xstrdup(target);
	return xasprintf("%.*s%s", (int)(at - target), target, instance);
}

/* One name looked up: where its file is, or which name it stands for. */
struct lookup {
	char *path;
	char *alias;
	bool masked;
};
#define CLEANUP_LOOKUP CLEANUP(lookup_done)

static void lookup_done(struct lookup *l)
{
	free(l->path);
	free(l->alias);
	*l = (struct lookup){0};
}

/* Looks at @path. Returns 1 where there is something, 0 where not. */
static int look_at(int root, const char *path, struct lookup *ret)
{
	char target[PATH_MAX];
	struct stat st;
	CLEANUP_FD int fd = -1;

	if (beneath_readlink(root, path, target, sizeof(target)) == 0) {
		ret->masked = streq(target, "/dev/null");
		if (!ret->masked && !streq(path_base(target), path_base(path)) &&
		    is_unit_name(path_base(target)))
			ret->alias = xstrdup(path_base(target));
	}
	if (!ret->masked && !ret->alias) {
		fd = beneath_open(root, path, O_PATH | O_CLOEXEC, 0);
		if (fd < 0 || fstat(fd, &st) < 0)
			return 0;
		ret->masked = S_ISREG(st.st_mode) && st.st_size == 0;
	}
	ret->path = xstrdup(path);
	return 1;
}

static int look_up(int root, const char *name, struct lookup *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(load_path); i++) {
		CLEANUP_STR char *path = path_join(load_path[i], name);
		if (look_at(root, path, ret))
			return 1;
	}
	return 0;
}

/* The name itself, else the template that it is an instance of. */
static int look_up_instance(int root, const char *name, struct lookup *ret)
{
	CLEANUP_STR char *template = template_of(name);
	return look_up(root, name, ret) || (template && look_up(root, template, ret));
}

/* Calls @fn for each entry of directory @path. */
static void each_entry(int root, const char *path, void (*fn)(void *user, const char *name),
		       void *user)
{
	int fd = beneath_open(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;

	if (!d) {
		fd_close(&fd);
		return;
	}
	while ((de = readdir(d)))
		if (de->d_name[0] != '.')
			fn(user, de->d_name);
	closedir(d);
}

static void add_unit(void *user, const char *name)
{
	if (is_unit_name(name))
		strv_add(user, name);
}

static int not_found(int root, const char *name, struct err *e)
{
	CLEANUP_STRV struct strv units = STRV_INIT;
	CLEANUP_STR char *shown = str_printable(xstrdup(name));
	struct nearest near = NEAREST_OF(name);
	char hint[NEAREST_HINT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(load_path); i++)
		each_entry(root, load_path[i], add_unit, &units);
	for (size_t i = 0; i < units.n; i++)
		nearest_offer(&near, units.v[i]);
	nearest_hint(&near, "", hint);
	if (str_ends(name, ".socket.service"))
		snprintf(
		    hint, sizeof(hint),
		    "; of a socket unit give its service, and what it listens on as Listen= in "
		    "[Jail] (with Accept=yes, as there)");
	return err_set(
	    e, -ENOENT,
	    "no unit %s in /etc, /run, /usr/local/lib, /usr/lib or /lib/systemd/system%s", shown,
	    hint);
}

/* Drop-ins by file name: of equal names the first one found counts. */
struct drop_ins {
	const char *dir;
	struct strv names, paths;
};

static void add_drop_in(void *user, const char *name)
{
	struct drop_ins *d = user;

	if (!str_ends(name, ".conf") || strv_has(&d->names, name))
		return;
	strv_add(&d->names, name);
	strv_take(&d->paths, path_join(d->dir, name));
}

/* The drop-in directories of @name in one directory of the load path: its own, its template's, and
 * those of its beginnings up to each dash. */
static void name_dirs(const char *dir, const char *name, struct strv *ret)
{
	CLEANUP_STR char *template = template_of(name);
	size_t stem = strcspn(name, "@");

	strv_take(ret, xasprintf("%s/%s.d", dir, name));
	if (template)
		strv_take(ret, xasprintf("%s/%s.d", dir, template));
	if (!name[stem])
		stem = strlen(name) - strlen(SUFFIX);
	for (size_t i = stem; i-- > 1;)
		if (name[i] == '-' && i + 1 < stem)
			strv_take(ret, xasprintf("%s/%.*s" SUFFIX ".d", dir, (int)i + 1, name));
}

static int compare_base(const void *a, const void *b)
{
	return strcmp(path_base(*(char *const *)a), path_base(*(char *const *)b));
}

/* @names: the unit's own, then its aliases. */
static void find_drop_ins(int root, const struct strv *names, struct strv *ret)
{
	CLEANUP_STRV struct strv dirs = STRV_INIT;
	struct drop_ins found = {0};

	for (size_t n = 0; n < names->n; n++)
		for (size_t i = 0; i < ARRAY_LEN(load_path); i++)
			name_dirs(load_path[i], names->v[n], &dirs);
	for (size_t i = 0; i < ARRAY_LEN(load_path); i++)
		strv_take(&dirs, xasprintf("%s/service.d", load_path[i]));
	for (size_t i = 0; i < dirs.n; i++) {
		found.dir = dirs.v[i];
		each_entry(root, found.dir, add_drop_in, &found);
	}
	if (found.paths.n)
		qsort(found.paths.v, found.paths.n, sizeof(*found.paths.v), compare_base);
	for (size_t i = 0; i < found.paths.n; i++) {
		CLEANUP_LOOKUP struct lookup l = {0};
		bool own = streq(path_base(found.paths.v[i]), UNIT_OWN_DROP_IN);
		if (!own && look_at(root, found.paths.v[i], &l) && !l.masked)
			strv_add(ret, found.paths.v[i]);
	}
	strv_done(&found.names);
	strv_done(&found.paths);
}

/* Follows aliases from names->v[0] on; each one is added to @names. */
static int follow(int root, struct strv *names, char **ret_fragment, struct err *e)
{
	for (int hops = 0; hops < HOPS_MAX; hops++) {
		const char *name = names->v[names->n - 1];
		CLEANUP_LOOKUP struct lookup l = {0};
		if (!look_up_instance(root, name, &l))
			return not_found(root, name, e);
		if (l.masked)
			return err_set(e, -ENOENT, "unit %s is masked by %s: systemctl unmask %s",
				       name, l.path, name);
		if (!l.alias) {
			*ret_fragment = steal_ptr(l.path);
			return 0;
		}
		strv_take(names, with_instance(l.alias, name));
	}
	return err_set(e, -ENOENT, "unit %s: its alias leads to an alias, and so on", names->v[0]);
}

/* The full name that @unit means, new; NULL with a message where it means none. */
static char *full_name(const char *unit, struct err *e)
{
	CLEANUP_STR char *name = xasprintf("%.300s%s", unit, str_ends(unit, SUFFIX) ? "" : SUFFIX);
	CLEANUP_STR char *template = template_of(name);

	if (!is_unit_name(name)) {
		str_printable(name);
		err_set(e, -EINVAL, "'%s' is no name of a service unit", name);
		return NULL;
	}
	if (strchr(name, '@') && !template) {
		err_set(e, -EINVAL,
			"%s is a template; name an instance of it, such as %.*s1" SUFFIX, name,
			(int)(strlen(name) - strlen(SUFFIX)), name);
		return NULL;
	}
	return steal_ptr(name);
}

int unit_find(int root, const char *unit, struct unit_files *ret, struct err *e)
{
	CLEANUP_STRV struct strv names = STRV_INIT;
	CLEANUP_STR char *fragment = NULL;
	char *name = full_name(unit, e);

	if (!name)
		return -EINVAL;
	strv_take(&names, name);
	int r = follow(root, &names, &fragment, e);
	if (r < 0)
		return r;
	/* The unit's own name goes first. */
	char *id = names.v[names.n - 1];
	names.v[names.n - 1] = names.v[0];
	names.v[0] = id;
	ret->id = xstrdup(id);
	ret->fragment = steal_ptr(fragment);
	find_drop_ins(root, &names, &ret->drop_ins);
	return 0;
}
