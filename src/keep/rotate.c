/* SPDX-License-Identifier: MIT */
#include "keep/rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "fs/lease.h"
#include "fs/temp.h"
#include "keep/remount.h"

/* How long the host's rotation has for making the new file before we make it. */
#define CREATE_AFTER_MS 1000
#define ASIDE_MAX	99

struct rotate_file {
	char *path;
	bool writable;
	struct stat st; /* of the file that is mounted now */
	long due; /* when a missing file is given its stand-in, in milliseconds of the clock; 0: it
		     is not missing */
	int dir;  /* of the stand-in, or -1 */
	struct temp stand_in;
};

static void watch(struct rotate *ro, const char *path)
{
	CLEANUP_STR char *dir = path_parent(path);

	if (ro->inotify < 0)
		ro->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	inotify_add_watch(ro->inotify, dir, IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE);
}

void rotate_open(struct rotate *ro, const struct rotate_spec *v, size_t n, const struct run *r)
{
	*ro = (struct rotate)ROTATE_INIT;
	ro->files = xcalloc(n, sizeof(*ro->files));
	CLEANUP_FD int jail = run_root(r);
	for (size_t i = 0; i < n; i++) {
		struct rotate_file *f = &ro->files[ro->n++];
		*f = (struct rotate_file){.path = xstrdup(v[i].path),
					  .writable = v[i].writable,
					  .dir = -1,
					  .stand_in = TEMP_INIT};
		watch(ro, f->path);
		if (jail < 0 || beneath_lstat(jail, f->path, &f->st) < 0)
			f->st = (struct stat){0};
	}
	rotate_serve(ro, r); /* what was renamed since it was mounted */
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* Where the host's @source, which is @st, is another than what is mounted: mounts it. */
static void renew(struct rotate_file *f, const char *source, const struct stat *st,
		  const struct run *r)
{
	if (same(st, &f->st))
		return;
	CLEANUP_FD int mnt = remount_clone(source, f->writable, false, r->users);
	const struct remount c = {REMOUNT_REPLACE, f->path, mnt};

	if (mnt >= 0 && remount(&c, 1, r) == 0)
		f->st = *st;
}

static char *stand_in_path(const struct rotate_file *f, const char *name)
{
	CLEANUP_STR char *up = path_parent(f->path);
	return path_join(up, name);
}

/* The file has gone, and a signal to reopen it may be on its way: the jail gets a new one at once,
 * under a name of our own as long as somebody else may still make the real one. */
static void stand_in(struct rotate_file *f, const struct run *r)
{
	CLEANUP_STR char *up = path_parent(f->path);
	struct stat st;

	f->due = clock_ms() + CREATE_AFTER_MS;
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->dir = beneath_open_nolink(host, up, O_PATH | O_DIRECTORY, 0);
	CLEANUP_FD int fd = f->dir < 0 ? -1 : temp_make(&f->stand_in, f->dir, S_IFREG, NULL);
	/* Never set-id: the service may have given the old one any mode. */
	if (fd < 0 || fchown(fd, f->st.st_uid, f->st.st_gid) < 0 ||
	    fchmod(fd, f->st.st_mode & 0777) < 0 || fstat(fd, &st) < 0)
		return;
	CLEANUP_STR char *path = stand_in_path(f, f->stand_in.name);
	renew(f, path, &st, r);
}

/* Nobody made a new one: the service's gets the name. False where that is taken after all. */
static bool take_name(struct rotate_file *f)
{
	if (!f->stand_in.made ||
	    temp_rename(&f->stand_in, path_base(f->path), RENAME_NOREPLACE) < 0)
		return false;
	f->due = 0;
	fd_close(&f->dir);
	return true;
}

/* Whether somebody still writes there. */
static bool is_in_use(const struct rotate_file *f)
{
	CLEANUP_FD int fd =
	    openat(f->dir, f->stand_in.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 && lease_try(fd, F_WRLCK) == -EAGAIN;
}

/* NAME.immure, or where there is such a one NAME.immure.2 and so on. Nothing is ever lost: where
 * none is to be had it stays under the name that it has. */
static void keep_aside(struct rotate_file *f)
{
	for (int n = 1; f->stand_in.made && n <= ASIDE_MAX; n++) {
		CLEANUP_STR char *name = n == 1 ? xasprintf("%s.immure", path_base(f->path))
						: xasprintf("%s.immure.%d", path_base(f->path), n);
		temp_rename(&f->stand_in, name, RENAME_NOREPLACE);
	}
	f->stand_in.made = false;
}

/* The name is somebody else's. What has lines in it, or will have, stays. */
static void put_away(struct rotate_file *f)
{
	struct stat st;

	f->due = 0;
	if (f->stand_in.made &&
	    (is_in_use(f) ||
	     (fstatat(f->dir, f->stand_in.name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0)))
		keep_aside(f);
	temp_drop(&f->stand_in);
	fd_close(&f->dir);
}

static void check(struct rotate_file *f, const struct run *r)
{
	bool late = f->due && clock_ms() >= f->due;
	struct stat st;

	if (late && take_name(f))
		return;
	if (lstat(f->path, &st) == 0) {
		renew(f, f->path, &st, r); /* first: then nobody opens the stand-in any more */
		put_away(f);
	} else if (late)
		put_away(f);
	else if (!f->due && f->writable)
		stand_in(f, r);
}

void rotate_serve(struct rotate *ro, const struct run *r)
{
	char events[64 * (sizeof(struct inotify_event) + NAME_MAX + 1)];

	/* Which file it was matters less than the state in which the directory is now. */
	while (ro->inotify >= 0 && read(ro->inotify, events, sizeof(events)) > 0)
		;
	for (size_t i = 0; i < ro->n; i++)
		check(&ro->files[i], r);
}

int rotate_wait(const struct rotate *ro)
{
	long soonest = 0;

	for (size_t i = 0; i < ro->n; i++)
		if (ro->files[i].due && (!soonest || ro->files[i].due < soonest))
			soonest = ro->files[i].due;
	if (!soonest)
		return -1;
	long left = soonest - clock_ms();
	return left < 0 ? 0 : (int)left;
}

void rotate_done(struct rotate *ro)
{
	for (size_t i = 0; i < ro->n; i++) {
		if (!take_name(&ro->files[i]))
			put_away(&ro->files[i]);
		free(ro->files[i].path);
	}
	free(ro->files);
	fd_close(&ro->inotify);
	*ro = (struct rotate)ROTATE_INIT;
}
