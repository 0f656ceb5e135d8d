/* SPDX-License-Identifier: MIT */
#include "jail/rebind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "fs/beneath.h"
#include "jail/masks.h"
#include "keep/remount.h"

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* The files that a running jail's keeper watches. */
size_t rebind_files(const struct layout *l, struct rotate_spec **ret)
{
	size_t n = 0;

	*ret = xcalloc(l->n, sizeof(**ret));
	for (size_t i = 0; i < l->n; i++) {
		const struct provision *p = &l->v[i];
		if (p->file && p->class != CLASS_KERNEL)
			(*ret)[n++] = (struct rotate_spec){p->path, p->writable};
	}
	return n;
}

static void turn(const struct provision *p, int host, int jail, const struct run *r)
{
	CLEANUP_STR char *end = NULL;
	struct stat wanted, mounted;

	if (layout_follow(p, host, &end, &wanted) < 0 ||
	    (beneath_lstat(jail, p->path, &mounted) == 0 && same(&wanted, &mounted)))
		return;
	CLEANUP_FD int mnt = remount_clone(end, p->writable, true, r->users);
	const struct remount c = {REMOUNT_REPLACE, p->path, mnt};
	int status = mnt < 0 ? -1 : remount(&c, 1, r);
	log_debug("%s leads elsewhere now: mounted anew (%d)", p->path, status);
}

void rebind_links(const struct layout *l, const struct run *r)
{
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int jail = run_root(r);

	for (size_t i = 0; i < l->n && jail >= 0; i++)
		if (l->v[i].link)
			turn(&l->v[i], host, jail, r);
}

int rebind_add(const struct provision *p, const struct run *r)
{
	CLEANUP_FD int mnt = remount_clone(p->path, p->writable, !p->file, r->users);
	const struct remount c = {REMOUNT_COVER, p->path, mnt};

	if (mnt < 0)
		return -ENOENT;
	return remount(&c, 1, r) ? -EIO : 0;
}

#define MASKS_AT_ONCE 256 /* each is a descriptor for a moment */

struct masking {
	int host, jail; /* O_PATH roots */
	const char *mask;
	int users;	/* as of struct run */
	struct stat st; /* of the mask */
	struct remount v[MASKS_AT_ONCE];
	size_t n;
};

static bool is_masked(const struct masking *k, const char *path)
{
	struct stat st;
	return beneath_lstat(k->jail, path, &st) == 0 && same(&st, &k->st);
}

static void add_mask(struct masking *k, const char *key)
{
	struct stat st;
	/* Gone from the jail's view, there is nothing to cover. */
	if (k->n == MASKS_AT_ONCE || is_masked(k, key) || beneath_lstat(k->jail, key, &st) < 0)
		return;
	int mnt = remount_clone(k->mask, false, false, k->users);
	if (mnt >= 0)
		k->v[k->n++] = (struct remount){REMOUNT_COVER, key, mnt};
}

static void add_bare(struct masking *k, const char *own)
{
	if (k->n < MASKS_AT_ONCE && is_masked(k, own))
		k->v[k->n++] = (struct remount){REMOUNT_UNCOVER, own, -1};
}

int rebind_masks(const struct layout *l, const struct manifest *m, const char *dir,
		 const struct run *r, struct err *e)
{
	struct strv keys CLEANUP_STRV = STRV_INIT, own CLEANUP_STRV = STRV_INIT;
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int jail = run_root(r);
	CLEANUP_STR char *mask = NULL;
	int bad = masks_file(dir, &mask, e);
	struct masking k = {.host = host, .jail = jail, .mask = mask, .users = r->users};

	if (bad < 0)
		return bad;
	if (jail < 0 || lstat(mask, &k.st) < 0)
		return err_errno(e, -errno, "looking at the jail's keys");
	masks_find(l, m, host, &keys);
	masks_own(l, host, &own);
	for (size_t i = 0; i < keys.n; i++)
		add_mask(&k, keys.v[i]);
	for (size_t i = 0; i < own.n; i++)
		add_bare(&k, own.v[i]);
	int status = k.n ? remount(k.v, k.n, r) : 0;
	for (size_t i = 0; i < k.n; i++)
		fd_close(&k.v[i].mnt);
	return status ? err_set(e, -EIO, "not every key of others could be covered") : 0;
}
