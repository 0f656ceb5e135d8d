/* SPDX-License-Identifier: MIT */
#include "keep/rotate.h"

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
#include "fs/temp.h"
#include "keep/remount.h"

/* How long the host's rotation has for making the new file before we make it. */
#define CREATE_AFTER_MS 1000

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

/* Gives the stand-in the real name; it goes where that is taken and nothing was written to it. */
static void settle(struct rotate_file *f)
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

static void check(struct rotate_file *f, const struct run *r)
{
	struct stat st;

	if (lstat(f->path, &st) == 0) {
		settle(f);
		renew(f, f->path, &st, r);
	} else if (!f->due && f->writable)
		stand_in(f, r);
}

void rotate_serve(struct rotate *ro, const struct run *r)
{
	char events[64 * (sizeof(struct inotify_event) + NAME_MAX + 1)];

	/* Which file it was matters less than the state in which the directory is now. */
	while (ro->inotify >= 0 && read(ro->inotify, events, sizeof(events)) > 0)
		;
	for (size_t i = 0; i < ro->n; i++) {
		/* Nobody made a new one: the service has one. */
		if (ro->files[i].due && clock_ms() >= ro->files[i].due)
			settle(&ro->files[i]);
		check(&ro->files[i], r);
	}
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
		settle(&ro->files[i]);
		free(ro->files[i].path);
	}
	free(ro->files);
	fd_close(&ro->inotify);
	*ro = (struct rotate)ROTATE_INIT;
}
