/* SPDX-License-Identifier: MIT */
#include "keep/remount.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "base/path.h"
#include "fs/beneath.h"

/* <linux/mount.h> of Linux 6.5; older headers do not have it. */
#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x00000200
#endif

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

/* What covers a place where nothing is executed (NoExecPaths=) is no better. */
static int keep_from_executing(int mnt, const char *name)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOEXEC};
	CLEANUP_FD int at = open(name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct statvfs vfs;

	if (at < 0 || fstatvfs(at, &vfs) < 0 || !(vfs.f_flag & ST_NOEXEC))
		return 0;
	return mount_setattr(mnt, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0
		   ? -errno
		   : 0;
}

static int take_off(const char *name)
{
	return umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 ? -errno : 0;
}

static int change(const struct remount *c)
{
	const char *name = path_base(c->path);
	int r = enter_parent(c->path);

	if (r == 0 && c->kind != REMOUNT_UNCOVER)
		r = keep_from_executing(c->mnt, name);
	if (r < 0)
		return r;
	if (c->kind == REMOUNT_COVER)
		return put_over(c->mnt, name, 0);
	/* Without a moment in between where the kernel can (Linux 6.5). */
	if (c->kind == REMOUNT_REPLACE && put_over(c->mnt, name, MOVE_MOUNT_BENEATH) == 0)
		return take_off(name);
	r = take_off(name); /* a rename on the host may have taken it off already */
	return c->kind == REMOUNT_REPLACE ? put_over(c->mnt, name, 0) : r;
}

/* In a process of its own, which enters the jail's mount namespace. */
int remount(const struct remount *v, size_t n, const struct run *r)
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

int remount_clone(const char *path, bool writable, bool dir, int users)
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
