/* SPDX-License-Identifier: MIT */
#include "base/root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <sched.h>
#include <stdbool.h>

#include "base/fd.h"
#include "base/kernel.h"

/* What statx(2) says, which musl 1.2 has not: Linux 5.8 for the mount's number. */
static bool look_at(int fd, struct statx *ret)
{
	return syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, ret) == 0 &&
	       ret->stx_mask & STATX_MNT_ID;
}

static bool is_same(int a, int b)
{
	struct statx one, two;

	return look_at(a, &one) && look_at(b, &two) && one.stx_mnt_id == two.stx_mnt_id &&
	       one.stx_ino == two.stx_ino;
}

static int open_dir(const char *path)
{
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* The tree at @root in the place of all that is mounted. */
static int move_up(int root)
{
	CLEANUP_FD int tree =
	    open_tree(root, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);

	if (tree < 0 || move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return root_pivot(tree);
}

/* setns(2) leads to the namespace's own root; by a pidfd, because /proc may be missing. */
int root_own(void)
{
	CLEANUP_FD int root = open_dir("/"), self = pidfd_open(getpid(), 0);

	if (root < 0 || self < 0 || setns(self, CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	CLEANUP_FD int top = open_dir("/");
	return is_same(root, top) ? 0 : move_up(root);
}

int root_pivot(int root)
{
	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}
