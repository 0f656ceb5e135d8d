/* SPDX-License-Identifier: MIT */
#include "jail/rebind.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "fs/temp.h"
#include "jail/masks.h"

/* <linux/mount.h> of Linux 6.5; older headers do not have it. */
#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x00000200
#endif

/* How long the host's rotation has for making the new file before we make it. */
#define CREATE_AFTER_MS 1000

struct rebind_file {
	char *path;
	bool writable;
	bool link;	/* to a directory: nothing is watched */
	struct stat st; /* of the file or directory that is mounted now */
	long due; /* when a missing file is given its stand-in, in milliseconds of the clock; 0: it
		     is not missing */
	int dir;  /* of the stand-in, or -1 */
	struct temp stand_in;
};

static void watch(struct rebind *rb, const char *path)
{
	CLEANUP_STR char *dir = path_parent(path);

	if (rb->inotify < 0)
		rb->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	inotify_add_watch(rb->inotify, dir, IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE);
}

void rebind_open(struct rebind *rb, const struct layout *l)
{
	*rb = (struct rebind)REBIND_INIT;
	for (size_t i = 0; i < l->n; i++) {
		const struct provision *p = &l->v[i];
		if ((!p->file && !p->link) || p->class == CLASS_KERNEL)
			continue;
		struct rebind_file f = {.path = xstrdup(p->path),
					.writable = p->writable,
					.link = p->link,
					.dir = -1,
					.stand_in = TEMP_INIT};
		if (!p->link)
			watch(rb, p->path);
		if ((p->link ? stat(f.path, &f.st) : lstat(f.path, &f.st)) < 0)
			f.st = (struct stat){0};
		rb->files = xrealloc(rb->files, rb->n + 1, sizeof(*rb->files));
		rb->files[rb->n++] = f;
	}
}

/* One thing to do in the jail's mount namespace, with a mount that was made in ours. */
struct change {
	enum { REPLACE, COVER, UNCOVER } kind;
	const char *path; /* in the jail */
	int mnt;	  /* detached, or -1 */
};

/* The directory that @path stands in becomes the working directory: what is done by its last name
 * then follows no link, whatever the service does to directories on the way. */
static int enter_parent(const char *path)
{
	CLEANUP_STR char *up = path_parent(path);
	CLEANUP_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int parent = beneath_open_nolink(root, up, O_PATH | O_DIRECTORY, 0);

	if (parent < 0)
		return parent;
	return fchdir(parent) < 0 ? -errno : 0;
}

static int put_over(int mnt, const char *name, unsigned flags)
{
	CLEANUP_FD int at = open(name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (at < 0)
		return -errno;
	return move_mount(mnt, "", at, "",
			  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH | flags) < 0
		   ? -errno
		   : 0;
}

static int take_off(const char *name)
{
	return umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 ? -errno : 0;
}

static int change(const struct change *c)
{
	const char *name = path_base(c->path);
	int r = enter_parent(c->path);

	if (r < 0)
		return r;
	if (c->kind == COVER)
		return put_over(c->mnt, name, 0);
	/* Without a moment in between where the kernel can (Linux 6.5). */
	if (c->kind == REPLACE && put_over(c->mnt, name, MOVE_MOUNT_BENEATH) == 0)
		return take_off(name);
	r = take_off(name); /* a rename on the host may have taken it off already */
	return c->kind == REPLACE ? put_over(c->mnt, name, 0) : r;
}

/* In a process of its own, which enters the jail's mount namespace. */
static int carry_out(const struct change *v, size_t n, const struct run *r)
{
	int status = -1, bad = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (setns(r->init_fd, CLONE_NEWNS) < 0)
			_exit(2);
		for (size_t i = 0; i < n; i++)
			bad |= change(&v[i]) < 0;
		_exit(bad);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* A detached mount of what stands at @path on the host; no link is followed. */
static int clone_of(const char *path, bool writable, bool dir, int users)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
	unsigned below = dir ? AT_RECURSIVE : 0;
	if (!writable)
		attr.attr_set |= MOUNT_ATTR_RDONLY;
	if (users >= 0) {
		attr.attr_set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = (uint64_t)users;
	}
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int file = beneath_open_nolink(host, path, O_PATH | O_NOFOLLOW, 0);
	struct stat st;

	if (file < 0 || fstat(file, &st) < 0 || !(dir ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode)))
		return -1;
	CLEANUP_FD int mnt =
	    open_tree(file, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | below);
	if (mnt < 0 || mount_setattr(mnt, "", AT_EMPTY_PATH | below, &attr, sizeof(attr)) < 0)
		return -1;
	return take_fd(&mnt);
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* Where the host's @source, which is @st, is another than what is mounted: mounts it. */
static void renew(struct rebind_file *f, const char *source, const struct stat *st,
		  const struct run *r)
{
	if (same(st, &f->st))
		return;
	CLEANUP_FD int mnt = clone_of(source, f->writable, f->link, r->users);
	const struct change c = {REPLACE, f->path, mnt};
	int status = mnt < 0 ? -1 : carry_out(&c, 1, r);
	log_debug("%s is another on the host: mounted anew (%d)", f->path, status);
	f->st = *st;
}

static char *stand_in_path(const struct rebind_file *f, const char *name)
{
	CLEANUP_STR char *up = path_parent(f->path);
	return path_join(up, name);
}

/* The file has gone, and a signal to reopen it may be on its way: the jail gets a new one at once,
 * under a name of our own as long as somebody else may still make the real one. */
static void stand_in(struct rebind_file *f, const struct run *r)
{
	CLEANUP_STR char *up = path_parent(f->path);
	struct stat st;

	f->due = clock_ms() + CREATE_AFTER_MS;
	f->dir = open(up, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP_FD int fd = f->dir < 0 ? -1 : temp_make(&f->stand_in, f->dir, S_IFREG, NULL);
	/* Never set-id: the service may have given the old one any mode. */
	if (fd < 0 || fchown(fd, f->st.st_uid, f->st.st_gid) < 0 ||
	    fchmod(fd, f->st.st_mode & 0777) < 0 || fstat(fd, &st) < 0)
		return;
	CLEANUP_STR char *path = stand_in_path(f, f->stand_in.name);
	renew(f, path, &st, r);
}

/* Gives the stand-in the real name; it goes where that is taken and nothing was written to it. */
static void settle(struct rebind_file *f)
{
	CLEANUP_STR char *aside = xasprintf("%s.immure", path_base(f->path));
	struct stat st;

	f->due = 0;
	if (f->stand_in.made &&
	    temp_rename(&f->stand_in, path_base(f->path), RENAME_NOREPLACE) < 0 &&
	    fstatat(f->dir, f->stand_in.name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0)
		temp_rename(&f->stand_in, aside, RENAME_NOREPLACE); /* nothing is ever lost */
	temp_drop(&f->stand_in);
	fd_close(&f->dir);
}

static void check(struct rebind_file *f, const struct run *r)
{
	struct stat st;

	if (lstat(f->path, &st) == 0) {
		settle(f);
		renew(f, f->path, &st, r);
	} else if (!f->due && f->writable)
		stand_in(f, r);
}

void rebind_serve(struct rebind *rb, const struct run *r)
{
	char events[64 * (sizeof(struct inotify_event) + NAME_MAX + 1)];

	/* Which file it was matters less than the state in which the directory is now. */
	while (rb->inotify >= 0 && read(rb->inotify, events, sizeof(events)) > 0)
		;
	for (size_t i = 0; i < rb->n; i++) {
		if (rb->files[i].link)
			continue;
		/* Nobody made a new one: the service has one. */
		if (rb->files[i].due && clock_ms() >= rb->files[i].due)
			settle(&rb->files[i]);
		check(&rb->files[i], r);
	}
}

void rebind_links(struct rebind *rb, const struct run *r)
{
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < rb->n; i++) {
		CLEANUP_STR char *end = NULL;
		struct stat st;
		const struct provision p = {.path = rb->files[i].path};
		if (rb->files[i].link && layout_follow(&p, host, &end, &st) == 0)
			renew(&rb->files[i], end, &st, r);
	}
}

int rebind_add(const struct provision *p, const struct run *r)
{
	CLEANUP_FD int mnt = clone_of(p->path, p->writable, !p->file, r->users);
	const struct change c = {COVER, p->path, mnt};

	if (mnt < 0)
		return -ENOENT;
	return carry_out(&c, 1, r) ? -EIO : 0;
}

#define MASKS_AT_ONCE 256 /* each is a descriptor for a moment */

struct masking {
	int host, jail; /* O_PATH roots */
	const char *mask;
	int users;	/* as of struct run */
	struct stat st; /* of the mask */
	struct change v[MASKS_AT_ONCE];
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
	int mnt = clone_of(k->mask, false, false, k->users);
	if (mnt >= 0)
		k->v[k->n++] = (struct change){COVER, key, mnt};
}

static void add_bare(struct masking *k, const char *own)
{
	if (k->n < MASKS_AT_ONCE && is_masked(k, own))
		k->v[k->n++] = (struct change){UNCOVER, own, -1};
}

static int open_root(pid_t init)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/root", init);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int rebind_masks(const struct layout *l, const struct manifest *m, const char *dir,
		 const struct run *r, struct err *e)
{
	struct strv keys CLEANUP_STRV = STRV_INIT, own CLEANUP_STRV = STRV_INIT;
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int jail = open_root(r->init);
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
	int status = k.n ? carry_out(k.v, k.n, r) : 0;
	for (size_t i = 0; i < k.n; i++)
		fd_close(&k.v[i].mnt);
	return status ? err_set(e, -EIO, "not every key of others could be covered") : 0;
}

int rebind_wait(const struct rebind *rb)
{
	long soonest = 0;

	for (size_t i = 0; i < rb->n; i++)
		if (rb->files[i].due && (!soonest || rb->files[i].due < soonest))
			soonest = rb->files[i].due;
	if (!soonest)
		return -1;
	long left = soonest - clock_ms();
	return left < 0 ? 0 : (int)left;
}

void rebind_done(struct rebind *rb)
{
	for (size_t i = 0; i < rb->n; i++) {
		settle(&rb->files[i]);
		free(rb->files[i].path);
	}
	free(rb->files);
	fd_close(&rb->inotify);
	*rb = (struct rebind)REBIND_INIT;
}
