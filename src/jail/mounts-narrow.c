/* SPDX-License-Identifier: MIT */
/* ReadOnlyPaths=, NoExecPaths= and InaccessiblePaths= of systemd.exec(5), on the mounts of a sealed
 * jail. What the jail does not have needs no cover. */
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "host/host.h"
#include "jail/masks.h"
#include "jail/mounts.h"
#include "spec/words.h"

#define COVER (MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC)

/* As mounts have it: /var/run/x is /run/x. What is not there stays as it was written. */
static void add_canonical(int source, const char *path, struct strv *ret)
{
	struct stat st;
	char *end = NULL;

	if (host_resolve(source, path, &end, &st, NULL) < 0)
		end = path_normal(path);
	strv_take(ret, end);
}

/* The paths of all lines of @key; "-" and "+" in front of one say nothing here. */
static void paths_of(const struct spec *s, const char *key, int source, struct strv *ret)
{
	for (size_t i = 0; i < s->n_settings; i++) {
		const struct setting *set = &s->settings[i];
		struct strv words CLEANUP_STRV = STRV_INIT;
		if (set->section != SPEC_SERVICE || !streq(set->key, key) ||
		    words_split(set->value, 0, &words, NULL) < 0)
			continue;
		for (size_t k = 0; k < words.n; k++)
			add_canonical(source, words.v[k] + strspn(words.v[k], "-+"), ret);
	}
}

/* What a unit may always write: systemd makes it. */
static void add_made(const struct spec_dirs *dirs, const char *base, struct strv *ret)
{
	for (size_t i = 0; i < dirs->names.n; i++)
		strv_take(ret, path_join(base, dirs->names.v[i]));
}

static void writable_of(const struct spec *s, int source, struct strv *ret)
{
	for (size_t i = 0; i < s->read_write_paths.n; i++)
		add_canonical(source, s->read_write_paths.v[i], ret);
	add_made(&s->runtime_dirs, "/run", ret);
	add_made(&s->state_dirs, "/var/lib", ret);
	add_made(&s->cache_dirs, "/var/cache", ret);
	add_made(&s->logs_dirs, "/var/log", ret);
}

static const struct mount_op *bind_around(const struct plan *p, const char *path)
{
	const struct mount_op *found = NULL;

	for (size_t i = 0; i < p->mounts.n; i++)
		if (p->mounts.v[i].kind == MOUNT_BIND && path_within(path, p->mounts.v[i].target) &&
		    (!found || strlen(p->mounts.v[i].target) > strlen(found->target)))
			found = &p->mounts.v[i];
	return found;
}

/* One of the spec's paths inside of a bind that is otherwise than it says. */
static void bind_again(struct plan *p, const char *path, unsigned flags)
{
	const struct mount_op *around = bind_around(p, path);

	if (!around || streq(around->target, path) ||
	    (around->flags & MOUNT_READONLY) == (flags & MOUNT_READONLY))
		return;
	CLEANUP_STR char *source = xasprintf("%s%s", around->source, path + strlen(around->target));
	plan_mount(p, MOUNT_BIND, path, source,
		   flags | MOUNT_NOSUID | MOUNT_NODEV | MOUNT_OPTIONAL);
}

void mounts_narrow_layout(struct layout *l, const struct spec *s, int source)
{
	struct strv read CLEANUP_STRV = STRV_INIT, write CLEANUP_STRV = STRV_INIT;

	paths_of(s, "ReadOnlyPaths", source, &read);
	writable_of(s, source, &write);
	for (size_t i = 0; i < l->n; i++)
		l->v[i].writable &=
		    path_nearest(&read, l->v[i].path) <= path_nearest(&write, l->v[i].path);
}

static void narrow_writing(struct plan *p, const struct spec *s, int source)
{
	struct strv read CLEANUP_STRV = STRV_INIT, write CLEANUP_STRV = STRV_INIT;

	paths_of(s, "ReadOnlyPaths", source, &read);
	if (!read.n)
		return;
	writable_of(s, source, &write);
	for (size_t i = 0; i < p->mounts.n; i++) {
		struct mount_op *op = &p->mounts.v[i];
		if (op->kind == MOUNT_BIND &&
		    path_nearest(&read, op->target) > path_nearest(&write, op->target))
			op->flags |= MOUNT_READONLY;
	}
	strv_sort_unique(&read);
	for (size_t i = 0; i < read.n; i++)
		bind_again(p, read.v[i], MOUNT_READONLY);
	for (size_t i = 0; i < write.n; i++)
		if (path_nearest(&read, write.v[i]) < strlen(write.v[i]))
			bind_again(p, write.v[i], 0);
}

/* --- NoExecPaths=, ExecPaths= ----------------------------------------------------------------- */

struct exec_paths {
	struct strv none, allowed;
};
#define EXEC_PATHS_INIT                                                                            \
	{                                                                                          \
		.none = STRV_INIT, .allowed = STRV_INIT                                            \
	}

static void exec_paths_done(struct exec_paths *x)
{
	strv_done(&x->none);
	strv_done(&x->allowed);
}

static void exec_paths_of(const struct spec *s, int source, struct exec_paths *ret)
{
	paths_of(s, "NoExecPaths", source, &ret->none);
	paths_of(s, "ExecPaths", source, &ret->allowed);
}

/* The longer path counts; of one path that both have, the narrower. */
static bool may_execute(const struct exec_paths *x, const char *path)
{
	size_t none = path_nearest(&x->none, path);

	return !none || path_nearest(&x->allowed, path) > none;
}

/* The one that @path is seen by; in /dev and /proc nothing is executed in any case. */
static struct mount_op *mount_around(const struct plan *p, const char *path)
{
	struct mount_op *found = NULL;

	for (size_t i = 0; i < p->mounts.n; i++) {
		struct mount_op *op = &p->mounts.v[i];
		if (op->kind != MOUNT_DIR && op->kind != MOUNT_LINK &&
		    path_within(path, op->target) &&
		    (!found || strlen(op->target) > strlen(found->target)))
			found = op;
	}
	return found;
}

/* One of the spec's paths inside of a mount that is otherwise than it says. */
static void execute_again(struct plan *p, const char *path, bool may)
{
	struct mount_op *around = mount_around(p, path);
	struct stat st;

	if (!around || streq(around->target, path) || may == !(around->flags & MOUNT_NOEXEC))
		return;
	unsigned flags = (around->flags & ~(unsigned)(MOUNT_NOEXEC | MOUNT_EXEC)) |
			 (may ? MOUNT_EXEC : MOUNT_NOEXEC);
	if (around->kind == MOUNT_BIND) {
		CLEANUP_STR char *from =
		    xasprintf("%s%s", around->source, path + strlen(around->target));
		plan_mount(p, MOUNT_BIND, path, from,
			   (flags & ~(unsigned)MOUNT_EXEC) | MOUNT_OPTIONAL);
	} else if (around->kind == MOUNT_TMPFS && !may) {
		around->flags |= MOUNT_NOEXEC; /* what will stand there is not known: the whole */
	} else if ((around->kind == MOUNT_ROOT_RO || around->kind == MOUNT_OWN) &&
		   beneath_lstat(p->root, path, &st) == 0 && !S_ISLNK(st.st_mode)) {
		plan_mount(p, MOUNT_OWN, path, NULL, flags | MOUNT_READONLY);
	}
}

static void narrow_execution(struct plan *p, const struct spec *s, int source)
{
	struct exec_paths x CLEANUP(exec_paths_done) = EXEC_PATHS_INIT;
	struct strv paths CLEANUP_STRV = STRV_INIT;

	exec_paths_of(s, source, &x);
	if (!x.none.n)
		return;
	for (size_t i = 0; i < p->mounts.n; i++)
		if (!may_execute(&x, p->mounts.v[i].target))
			p->mounts.v[i].flags |= MOUNT_NOEXEC;
	strv_add_all(&paths, &x.none);
	strv_add_all(&paths, &x.allowed);
	strv_sort_unique(&paths); /* what is around comes first */
	for (size_t i = 0; i < paths.n; i++)
		execute_again(p, paths.v[i], may_execute(&x, paths.v[i]));
}

void mounts_narrow_conflicts(const struct spec *s, const struct record *run, int source,
			     struct strv *ret)
{
	struct exec_paths x CLEANUP(exec_paths_done) = EXEC_PATHS_INIT;
	struct strv paths CLEANUP_STRV = STRV_INIT;

	exec_paths_of(s, source, &x);
	for (const struct touch *t = run->touches; t && x.none.n; t = t->hh.next)
		if (t->kinds & (TOUCH_EXEC | TOUCH_INTERP) && S_ISREG(t->found) &&
		    !may_execute(&x, t->path))
			strv_add(&paths, t->path);
	strv_sort_unique(&paths);
	if (paths.n == 1)
		strv_take(
		    ret, xasprintf("NoExecPaths= takes away %s, which a run executed", paths.v[0]));
	else if (paths.n)
		strv_take(ret,
			  xasprintf("NoExecPaths= takes away %s and %zu more that a run executed",
				    paths.v[0], paths.n - 1));
}

/* --- InaccessiblePaths= ----------------------------------------------------------------------- */

/* Whether the jail has @path, in its tree or below a bind. */
static bool jail_has(const struct plan *p, int source, const char *path, struct stat *st)
{
	const struct mount_op *around = bind_around(p, path);

	if (!around)
		return beneath_lstat(p->root, path, st) == 0;
	CLEANUP_STR char *behind = xasprintf("%s%s", around->source, path + strlen(around->target));
	return beneath_lstat(source, behind, st) == 0;
}

static void drop_mounts(struct plan *p, const char *dir)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->mounts.n; i++) {
		struct mount_op *op = &p->mounts.v[i];
		if (path_within(op->target, dir)) {
			free(op->target);
			free(op->source);
			continue;
		}
		p->mounts.v[kept++] = *op;
	}
	p->mounts.n = kept;
}

/* A directory of nobody's with nothing in it, or an empty file. The place to mount it on is there
 * though what was to be mounted on it is not. */
static int cover(struct plan *p, const char *path, const char *dir, int source, struct err *e)
{
	CLEANUP_STR char *mask = NULL;
	struct stat st;

	if (!jail_has(p, source, path, &st) || S_ISLNK(st.st_mode))
		return 0;
	drop_mounts(p, path);
	if (mounts_in_memory(path)) /* what is not put there is not there */
		return 0;
	if (S_ISDIR(st.st_mode)) {
		plan_mount(p, MOUNT_TMPFS, path, NULL, COVER)->mode = 0;
		return 0;
	}
	int r = masks_file(dir, &mask, e);
	if (r == 0)
		plan_mount(p, MOUNT_BIND, path, mask, COVER | MOUNT_READONLY);
	return r;
}

int mounts_narrow(struct plan *p, const struct spec *s, const char *dir, int source, struct err *e)
{
	struct strv hidden CLEANUP_STRV = STRV_INIT;
	int r = 0;

	narrow_writing(p, s, source);
	narrow_execution(p, s, source);
	paths_of(s, "InaccessiblePaths", source, &hidden);
	strv_sort_unique(&hidden);
	for (size_t i = 0; r == 0 && i < hidden.n; i++)
		r = cover(p, hidden.v[i], dir, source, e);
	return r;
}
