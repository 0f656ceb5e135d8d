/* SPDX-License-Identifier: MIT */
#include "base/root.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/kernel.h"

/* Which mount @fd lies in, or -1. (statx(2) would say it too; musl 1.2 has none.) */
static int mount_of(int fd)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} to = {.handle.handle_bytes = MAX_HANDLE_SZ};
	int id = -1;

	return name_to_handle_at(fd, "", &to.handle, &id, AT_EMPTY_PATH) < 0 ? -1 : id;
}

/* Where the file system has no handles they count as two: that costs a moment, and no wall. */
static bool is_same(int a, int b)
{
	struct stat one, two;
	int mount = mount_of(a);

	return mount >= 0 && mount == mount_of(b) && fstat(a, &one) == 0 && fstat(b, &two) == 0 &&
	       one.st_ino == two.st_ino;
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
