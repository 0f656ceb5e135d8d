/* SPDX-License-Identifier: MIT */
/* Removing a tree that somebody else owns and may be changing.
 *
 * Depth costs no stack and no descriptors: the levels on the way down are an array, and only the
 * deepest KEPT_OPEN of them are open. Going up to an older one is openat("..") from the child, and
 * believed only where device and inode are those seen on the way down. If not, the child was moved
 * away: the walk starts again from the top. All removing is by a single name below an open
 * directory of the tree, never followed. */
#include "fs/beneath.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"

#define KEPT_OPEN 32

/* Names of directories remembered in one level before the scan is broken off and taken up later. */
#define NAMES_MAX 65536

/* Whole walks, where somebody fills or moves directories at the same time. */
#define WALKS_MAX 8

struct level {
	int fd; /* -1 where closed to save descriptors */
	dev_t dev;
	ino_t ino;
	struct strv dirs; /* still to be removed; the last is the one being walked */
	bool more;	  /* the scan was broken off ... */
	bool progress;	  /* ... and something was removed since */
};

struct walk {
	struct level *levels; /* the first is the directory the tree's name is in */
	size_t n;
	uint64_t mount;
	int err; /* the first reason why something stays */
	_Alignas(8) char entries[32 << 10];
};

static void walk_free(struct walk *w)
{
	for (size_t i = 0; i < w->n; i++) {
		fd_close(&w->levels[i].fd);
		strv_done(&w->levels[i].dirs);
	}
	free(w->levels);
	free(w);
}
DEFINE_FREEP(struct walk, walk);

static struct level *top(struct walk *w)
{
	return &w->levels[w->n - 1];
}

static void stays(struct walk *w, const char *name, int err)
{
	CLEANUP_STR char *shown = str_printable(xstrdup(name));

	if (err == -EBUSY) /* what the kernel says of a mount point */
		err = -EXDEV;
	log_debug("%s, %zu levels down, stays: %s", shown, w->n - 1, strerror(-err));
	if (!w->err)
		w->err = err;
}

/* What tells mounts apart: their id, or before Linux 5.8 the device. Fills in @ret's dev and ino.
 */
static int identify(int fd, struct level *ret, uint64_t *ret_mount)
{
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &sx) < 0)
		return -errno;
	ret->dev = makedev(sx.stx_dev_major, sx.stx_dev_minor);
	ret->ino = sx.stx_ino;
	*ret_mount = sx.stx_mask & STATX_MNT_ID ? sx.stx_mnt_id : ret->dev;
	return 0;
}

/* Goes down; takes @fd over. */
static int push(struct walk *w, int fd)
{
	CLEANUP_FD int owned = fd;
	struct level l = {.dirs = STRV_INIT};
	uint64_t mount;
	int r = identify(fd, &l, &mount);

	if (r < 0)
		return r;
	if (w->n == 0)
		w->mount = mount;
	if (mount != w->mount)
		return -EXDEV;
	if ((w->n & (w->n - 1)) == 0)
		w->levels = xrealloc(w->levels, w->n ? 2 * w->n : 1, sizeof(l));
	if (w->n > KEPT_OPEN)
		fd_close(&w->levels[w->n - KEPT_OPEN].fd);
	l.fd = take_fd(&owned);
	w->levels[w->n++] = l;
	return 0;
}

/* Opens the parent level anew where it was closed. */
static int reopen_parent(struct walk *w)
{
	struct level *parent = &w->levels[w->n - 2], seen;
	uint64_t mount;

	if (parent->fd >= 0)
		return 0;
	CLEANUP_FD int fd = openat(top(w)->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = identify(fd, &seen, &mount);
	if (r < 0)
		return r;
	if (seen.dev != parent->dev || seen.ino != parent->ino || mount != w->mount)
		return -ESTALE;
	parent->fd = take_fd(&fd);
	return 0;
}

static void pop(struct walk *w)
{
	fd_close(&top(w)->fd);
	strv_done(&top(w)->dirs);
	w->n--;
}

/* Removes an entry of the deepest level, or remembers it where it is a directory. */
static void take_entry(struct walk *w, const char *name, unsigned char type)
{
	struct level *l = top(w);

	if (type != DT_DIR) {
		if (unlinkat(l->fd, name, 0) == 0) {
			l->progress = true;
			return;
		}
		if (errno == ENOENT)
			return;
		if (errno != EISDIR) {
			stays(w, name, -errno);
			return;
		}
	}
	strv_add(&l->dirs, name);
}

static void take_entries(struct walk *w, size_t len)
{
	for (size_t at = 0; at < len;) {
		const struct dirent64 *de = (const void *)(w->entries + at);
		if (beneath_is_name(de->d_name))
			take_entry(w, de->d_name, de->d_type);
		at += de->d_reclen;
	}
}

/* Empties the deepest level of all but directories, which it remembers. */
static int scan(struct walk *w)
{
	struct level *l = top(w);
	ssize_t n;

	l->more = l->progress = false;
	if (lseek(l->fd, 0, SEEK_SET) < 0)
		return -errno;
	while ((n = getdents64(l->fd, w->entries, sizeof(w->entries))) > 0) {
		take_entries(w, (size_t)n);
		l->more = l->dirs.n >= NAMES_MAX;
		if (l->more)
			break;
	}
	return n < 0 ? -errno : 0;
}

/* Goes down into the last directory of the deepest level's list. */
static int enter(struct walk *w)
{
	const struct level *l = top(w);
	const char *name = l->dirs.v[l->dirs.n - 1];
	int fd = openat(l->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = push(w, fd);
	return r < 0 ? r : scan(w);
}

/* Done with the last directory of the deepest level's list, which should be empty now, unless @r
 * says why it could not even be entered. */
static void leave(struct walk *w, int r)
{
	struct level *l = top(w);
	CLEANUP_STR char *name = l->dirs.v[--l->dirs.n];

	l->dirs.v[l->dirs.n] = NULL;
	if (r == 0 && unlinkat(l->fd, name, AT_REMOVEDIR) < 0)
		r = -errno;
	if (r == -ENOTDIR || r == -ELOOP) /* swapped for something else meanwhile */
		r = unlinkat(l->fd, name, 0) < 0 ? -ESTALE : 0;
	if (r == 0)
		l->progress = true;
	else if (r != -ENOENT && !(r == -ENOTEMPTY && w->err))
		stays(w, name, r);
}

/* One move: down, on, or up. Returns 1 when all is walked. */
static int step(struct walk *w)
{
	struct level *l = top(w);
	size_t depth = w->n;
	int r;

	if (l->dirs.n == 0 && l->more && l->progress)
		return scan(w);
	if (l->dirs.n == 0 && w->n == 1)
		return 1;
	if (l->dirs.n == 0) {
		r = reopen_parent(w);
		pop(w);
		if (r < 0)
			return r;
		leave(w, 0);
		return 0;
	}
	r = enter(w);
	if (r < 0 && w->n > depth)
		pop(w);
	if (r < 0)
		leave(w, r);
	return 0;
}

static int walk_once(int dirfd, const char *name)
{
	CLEANUP(walk_freep) struct walk *w = xcalloc(1, sizeof(*w));
	int fd = openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = push(w, fd);
	if (r < 0)
		return r;
	take_entry(w, name, DT_UNKNOWN);
	do
		r = step(w);
	while (r == 0);
	return r < 0 ? r : w->err;
}

int tree_remove(int dirfd, const char *name)
{
	int r = -ESTALE;

	if (!beneath_is_name(name))
		return -EINVAL;
	for (int i = 0; i < WALKS_MAX && (r == -ESTALE || r == -ENOTEMPTY); i++)
		r = walk_once(dirfd, name);
	return r;
}
