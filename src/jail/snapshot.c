/* SPDX-License-Identifier: MIT */
#include "jail/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/str.h"
#include "confine/rootfs.h"
#include "fs/beneath.h"
#include "fs/dir.h"
#include "fs/lock.h"

#define PREFIX ".immure-snapshot."
#define LINK   "build" /* in each of ours: leads to the scratch directory of its build */

enum {
	SUBVOLUME_ROOT = 256, /* the inode number of every subvolume's root directory */
	MAX_DEVICES = 1024,
	YOUNG_SECONDS = 60, /* its link may not have been made yet */
};

void snapshot_done(struct snapshot *s)
{
	fd_close(&s->top);
	free(steal_ptr(s->path));
}

static bool is_btrfs(int fd)
{
	struct statfs fs;
	return fstatfs(fd, &fs) == 0 && (unsigned long)fs.f_type == BTRFS_SUPER_MAGIC;
}

/* The root directory of the subvolume that holds @dir; *ret_rest is what follows it in @dir. */
static int open_subvolume(const char *dir, const char **ret_rest)
{
	CLEANUP_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_STR char *path = xstrdup(dir);

	for (;;) {
		CLEANUP_FD int fd = beneath_open_nolink(root, path, O_RDONLY | O_DIRECTORY, 0);
		struct stat st;
		if (fd < 0)
			return fd;
		if (!is_btrfs(fd))
			return -EOPNOTSUPP; /* or the subvolume's root is not mounted here */
		if (fstat(fd, &st) == 0 && st.st_ino == SUBVOLUME_ROOT) {
			*ret_rest = dir + (streq(path, "/") ? 0 : strlen(path));
			return take_fd(&fd);
		}
		char *up = path_parent(path);
		free(path);
		path = up;
	}
}

/* Mounts the whole file system that @fd lies on, detached. */
static int open_top(int fd)
{
	struct btrfs_ioctl_fs_info_args info = {0};
	struct btrfs_ioctl_dev_info_args device = {0};

	if (ioctl(fd, BTRFS_IOC_FS_INFO, &info) < 0)
		return -errno;
	for (device.devid = 0; device.devid <= info.max_id && device.devid < MAX_DEVICES;
	     device.devid++) {
		if (ioctl(fd, BTRFS_IOC_DEV_INFO, &device) < 0)
			continue;
		const char *const options[] = {"source", (const char *)device.path, "subvolid", "5",
					       NULL};
		return rootfs_fs("btrfs", options, 0);
	}
	return -ENODEV;
}

/* The file system of @dir: a detached mount of all of it, and the subvolume that holds @dir. */
static int open_both(const char *dir, int *ret_subvolume, const char **ret_rest)
{
	*ret_subvolume = open_subvolume(dir, ret_rest);
	return *ret_subvolume < 0 ? *ret_subvolume : open_top(*ret_subvolume);
}

/* One of our directories: made by root, for root. */
static int open_own(int top, const char *name)
{
	CLEANUP_FD int fd = openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != 0 || (st.st_mode & 0777) != 0700)
		return -EPERM;
	return take_fd(&fd);
}

static void remove_own(int top, const char *name)
{
	struct btrfs_ioctl_vol_args args = {0};
	struct strv names CLEANUP_STRV = STRV_INIT;
	CLEANUP_FD int fd = open_own(top, name);

	if (fd < 0 || dir_names(fd, &names) < 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		snprintf(args.name, sizeof(args.name), "%s", names.v[i]);
		if (!streq(names.v[i], LINK) && ioctl(fd, BTRFS_IOC_SNAP_DESTROY, &args) < 0)
			log_debug("removing the snapshot %s/%s: %m", name, names.v[i]);
	}
	unlinkat(fd, LINK, 0);
	if (unlinkat(top, name, AT_REMOVEDIR) < 0)
		log_debug("removing %s: %m", name);
}

/* Whether the build that made @name has died: its scratch directory is gone, or nobody's. */
static bool is_stale(int top, const char *name)
{
	CLEANUP_FD int fd = open_own(top, name);
	char build[4096];
	struct stat st;
	int r = fd < 0 ? fd : beneath_readlink(fd, LINK, build, sizeof(build));

	if (r == -ENOENT && fd >= 0)
		return fstat(fd, &st) == 0 && time(NULL) - st.st_ctime > YOUNG_SECONDS;
	if (r < 0)
		return false;
	CLEANUP_FD int dir = open(build, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT;
	CLEANUP_FD int lock = lock_try(dir, "lock", NULL);
	return lock >= 0;
}

static char *own_name(const char *build)
{
	return xasprintf(PREFIX "%.200s", path_base(build));
}

static void remove_stale(int top, const char *own)
{
	struct strv names CLEANUP_STRV = STRV_INIT;

	dir_names(top, &names);
	for (size_t i = 0; i < names.n; i++)
		if (str_after(names.v[i], PREFIX) && !streq(names.v[i], own) &&
		    is_stale(top, names.v[i]))
			remove_own(top, names.v[i]);
}

/* The file system's top directory, which keeps the times that it has: *ret_times. */
static int enter_top(int mnt, struct timespec ret_times[2])
{
	CLEANUP_FD int top = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (top < 0 || fstat(top, &st) < 0)
		return -errno;
	ret_times[0] = st.st_atim;
	ret_times[1] = st.st_mtim;
	return take_fd(&top);
}

static int snapshot_into(int own, int subvolume, const char *build, char **ret_name)
{
	struct btrfs_ioctl_get_subvol_info_args info = {0};
	struct btrfs_ioctl_vol_args_v2 args = {.fd = subvolume, .flags = BTRFS_SUBVOL_RDONLY};

	if (symlinkat(build, own, LINK) < 0 && errno != EEXIST)
		return -errno;
	if (ioctl(subvolume, BTRFS_IOC_GET_SUBVOL_INFO, &info) < 0)
		return -errno;
	snprintf(args.name, sizeof(args.name), "%" PRIu64, (uint64_t)info.treeid);
	if (ioctl(own, BTRFS_IOC_SNAP_CREATE_V2, &args) < 0 && errno != EEXIST)
		return -errno;
	*ret_name = xstrdup(args.name);
	return 0;
}

static int take(int mnt, int subvolume, const char *rest, const char *build, char **ret_path)
{
	CLEANUP_STR char *name = own_name(build), *inner = NULL;
	struct timespec times[2];
	CLEANUP_FD int top = enter_top(mnt, times);

	if (top < 0)
		return top;
	remove_stale(top, name);
	int r = mkdirat(top, name, 0700) < 0 && errno != EEXIST ? -errno : 0;
	CLEANUP_FD int own = r < 0 ? r : open_own(top, name);
	r = own < 0 ? own : snapshot_into(own, subvolume, build, &inner);
	futimens(top, times);
	if (r == 0)
		*ret_path = xasprintf("%s/%s%s%s", name, inner, *rest ? "/" : "",
				      *rest ? path_relative(rest) : "");
	return r;
}

int snapshot_take(const char *dir, const char *build, struct snapshot *ret, struct err *e)
{
	CLEANUP_FD int subvolume = -1;
	CLEANUP_STR char *path = realpath(dir, NULL);
	const char *rest;

	*ret = (struct snapshot)SNAPSHOT_INIT;
	if (!path)
		return err_errno(e, -errno, "Sample=%s=snapshot", dir);
	CLEANUP_FD int mnt = open_both(path, &subvolume, &rest);
	if (mnt == -EOPNOTSUPP)
		return err_set(
		    e, mnt,
		    "Sample=%s=snapshot: there are snapshots on btrfs alone, and %s does "
		    "not lie on one with the root of its subvolume in sight. Stop what "
		    "writes there; or give a copy, %s=PATH, or =empty, or =live as it is",
		    dir, dir, dir);
	int r = mnt < 0 ? mnt : take(mnt, subvolume, rest, build, &ret->path);
	if (r < 0)
		return err_errno(e, r, "making a snapshot of %s", dir);
	ret->top = take_fd(&mnt);
	return 0;
}

void snapshot_remove(const char *dir, const char *build)
{
	CLEANUP_FD int subvolume = -1;
	CLEANUP_STR char *path = realpath(dir, NULL);
	CLEANUP_STR char *name = own_name(build);
	struct timespec times[2];
	const char *rest;
	CLEANUP_FD int mnt = path ? open_both(path, &subvolume, &rest) : -1;
	CLEANUP_FD int top = mnt < 0 ? -1 : enter_top(mnt, times);

	if (top < 0)
		return;
	remove_own(top, name);
	futimens(top, times);
}
