/* SPDX-License-Identifier: MIT */
#include "jail/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "confine/landlock.h"
#include "confine/walls.h"
#include "fs/beneath.h"
#include "jail/manifest.h"
#include "jail/masks.h"

/* Private memory in the running jail. */
static const struct {
	const char *path;
	mode_t mode;
} areas[] = {
    {"/run", 0755},
    {"/tmp", 01777},
    {"/var/tmp", 01777},
};

static const char *const kernel_points[] = {"/dev", "/proc", "/sys"};

bool mounts_in_memory(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(areas); i++)
		if (path_within(path, areas[i].path))
			return true;
	return false;
}

int mounts_points(struct lay *l, const struct layout *layout, struct err *e)
{
	struct stat st;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(kernel_points); i++)
		r = lay_point(l, kernel_points[i], false, e);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(areas); i++)
		if (beneath_lstat(l->source, areas[i].path, &st) == 0 && S_ISDIR(st.st_mode))
			r = lay_point(l, areas[i].path, false, e);
	for (size_t i = 0; r == 0 && i < layout->n; i++)
		r = lay_point(l, layout->v[i].path, layout->v[i].file, e);
	return r;
}

static unsigned flags_of(const struct provision *v)
{
	unsigned flags = MOUNT_NODEV | (v->writable ? MOUNT_NOSUID : MOUNT_READONLY);

	/* What is kept as it is in a directory that may be written: gone, there is nothing to keep.
	 */
	bool kept = v->file && !v->writable && v->class == CLASS_CONFIG;
	if (v->class == CLASS_KERNEL)
		flags |= MOUNT_UNMAPPED;
	return v->class == CLASS_KERNEL || kept ? flags | MOUNT_OPTIONAL : flags;
}

/* Where the content comes from: through a link, from what it leads to now. */
static int add_one(struct plan *p, const struct provision *v, int source, struct err *e)
{
	CLEANUP_STR char *end = NULL;
	struct stat st;
	int r = v->link ? layout_follow(v, source, &end, &st) : 0;

	if (r < 0)
		return err_errno(e, r, "following %s, which leads to content of the service",
				 v->path);
	plan_mount(p, MOUNT_BIND, v->path, end ? end : provision_source(v), flags_of(v));
	return 0;
}

static int add_provisions(struct plan *p, const struct layout *layout, bool kernel, int source,
			  struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < layout->n; i++)
		if (kernel || layout->v[i].class != CLASS_KERNEL)
			r = add_one(p, &layout->v[i], source, e);
	return r;
}

static int add_masks(struct plan *p, const struct layout *layout, const struct manifest *m,
		     const char *dir, int source, struct err *e)
{
	struct strv keys CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *mask = NULL;

	masks_find(layout, m, source, &keys);
	int r = keys.n ? masks_file(dir, &mask, e) : 0;
	for (size_t i = 0; r == 0 && i < keys.n; i++)
		plan_mount(p, MOUNT_BIND, keys.v[i], mask,
			   MOUNT_READONLY | MOUNT_NOSUID | MOUNT_NODEV);
	return r;
}

static int by_target(const void *a, const void *b)
{
	return strcmp(((const struct mount_op *)a)->target, ((const struct mount_op *)b)->target);
}

static void sort(struct plan *p)
{
	qsort(p->mounts.v, p->mounts.n, sizeof(*p->mounts.v), by_target);
}

int mounts_growth(struct plan *p, const struct layout *layout, int source, struct err *e)
{
	plan_mount(p, MOUNT_BIND, "/sys", "/sys", MOUNT_READONLY | MOUNT_NOSUID | MOUNT_NODEV);
	plan_mount(p, MOUNT_DEV, "/dev", NULL, 0);
	plan_mount(p, MOUNT_PROC, "/proc", NULL, 0);
	int r = add_provisions(p, layout, false, source, e);
	sort(p);
	return r;
}

static bool has_target(const struct plan *p, const char *target)
{
	for (size_t i = 0; i < p->mounts.n; i++)
		if (streq(p->mounts.v[i].target, target))
			return true;
	return false;
}

/* What the generation has below a private area is seen through the memory that covers it. */
static void add_skeleton(struct plan *p, const struct manifest *m)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct entry *en = &m->v[i];
		if (en->provided != PROVIDED_COPY || !mounts_in_memory(en->path) ||
		    has_target(p, en->path))
			continue;
		if (S_ISDIR(en->mode)) {
			struct mount_op *op = plan_mount(p, MOUNT_DIR, en->path, NULL, 0);
			op->mode = en->mode & 07777;
			op->uid = en->uid;
			op->gid = en->gid;
		} else if (S_ISLNK(en->mode))
			plan_mount(p, MOUNT_LINK, en->path, en->link, 0);
		else
			plan_mount(p, MOUNT_OWN, en->path, NULL, MOUNT_READONLY | MOUNT_NODEV);
	}
}

/* A bind inside a private area needs its parents there. */
static void add_parents(struct plan *p)
{
	size_t n = p->mounts.n;

	for (size_t i = 0; i < n; i++) {
		char *dir = path_parent(p->mounts.v[i].target);
		while (mounts_in_memory(dir) && !has_target(p, dir)) {
			plan_mount(p, MOUNT_DIR, dir, NULL, 0);
			char *up = path_parent(dir);
			free(dir);
			dir = up;
		}
		free(dir);
	}
}

/* Whether programs were executed there, or below: the walls of the plan say so. */
static bool executed_in(const struct plan *p, const char *area)
{
	const struct landlock *l = p->walls ? p->walls->landlock : NULL;

	for (size_t i = 0; l && l->execute && i < l->execute->n; i++)
		if (path_within(l->execute->v[i], area))
			return true;
	return false;
}

int mounts_sealed(struct plan *p, const struct layout *layout, const char *dir,
		  const struct spec *s, int source, struct err *e)
{
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT;
	struct stat st;
	int r = manifest_load(dir, &m, e);

	if (r < 0)
		return r;
	bool set_id = p->walls && !p->walls->no_new_privs;
	plan_mount(p, MOUNT_ROOT_RO, "/", NULL, MOUNT_NODEV | (set_id ? 0 : MOUNT_NOSUID));
	for (size_t i = 0; i < ARRAY_LEN(areas); i++) {
		const struct entry *en = manifest_find(&m, areas[i].path);
		if (!en || !S_ISDIR(en->mode))
			continue;
		/* Whoever put a link there means another directory. */
		if (beneath_lstat(p->root, areas[i].path, &st) < 0 || !S_ISDIR(st.st_mode))
			return err_set(e, -EIO,
				       "%s/root%s is no directory any more: somebody has changed "
				       "the jail; immure build makes it anew",
				       dir, areas[i].path);
		unsigned flags = MOUNT_NOSUID | MOUNT_NODEV;
		if (!executed_in(p, areas[i].path))
			flags |= MOUNT_NOEXEC;
		struct mount_op *op = plan_mount(p, MOUNT_TMPFS, areas[i].path, NULL, flags);
		op->mode = areas[i].mode;
	}
	plan_mount(p, MOUNT_DEV, "/dev", NULL, 0);
	plan_mount(p, MOUNT_PROC, "/proc", NULL, 0);
	r = add_provisions(p, layout, true, source, e);
	if (r == 0)
		r = add_masks(p, layout, &m, dir, source, e);
	add_skeleton(p, &m);
	if (r == 0)
		r = mounts_narrow(p, s, dir, source, e);
	add_parents(p);
	sort(p);
	return r;
}
