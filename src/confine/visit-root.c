/* SPDX-License-Identifier: MIT */
/* The visitor's root: a memory file system with all that the jail's root has at its top, each with
 * what is mounted there, and the host's tools. Nothing of the jail's own mounts is touched: these
 * are copies in a mount namespace of the visitor's. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "base/path.h"
#include "base/root.h"
#include "confine/rootfs.h"
#include "confine/visit-parts.h"

#define TREE_FLAGS (OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE)

/* Where @path leads in the root @root. */
static int find(int root, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
			       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	long fd = syscall(SYS_openat2, root, path_relative(path), &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

static int attach(int mnt, int at, const char *name)
{
	unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (*name ? 0 : MOVE_MOUNT_T_EMPTY_PATH);
	return move_mount(mnt, "", at, name, flags) < 0 ? -errno : 0;
}

int visit_take(const char *path, struct err *e)
{
	struct mount_attr attr = {.attr_set =
				      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
				  .propagation = MS_PRIVATE};
	CLEANUP_FD int mnt = open_tree(AT_FDCWD, path, TREE_FLAGS);

	if (mnt < 0 ||
	    mount_setattr(mnt, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return err_errno(e, -errno, "taking %s along", path);
	return take_fd(&mnt);
}

/* One name of the jail's root, and what is mounted there. */
static int copy_name(int jail, int root, const char *name)
{
	char target[PATH_MAX];
	struct stat st;

	if (fstatat(jail, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlinkat(jail, name, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		return n <= 0 || symlinkat(target, root, name) < 0 ? -errno : 0;
	}
	int r = S_ISDIR(st.st_mode) ? mkdirat(root, name, 0755)
				    : mknodat(root, name, S_IFREG | 0600, 0);
	if (r < 0)
		return -errno;
	CLEANUP_FD int mnt = open_tree(jail, name, TREE_FLAGS | AT_SYMLINK_NOFOLLOW);
	return mnt < 0 ? -errno : attach(mnt, root, name);
}

static int copy_names(int jail, int root)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	int r = visit_names(jail, &names);

	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = copy_name(jail, root, names.v[i]);
	return r;
}

static int make_dirs(int root, const char *path)
{
	CLEANUP_STR char *part = xstrdup(path_relative(path));

	for (char *slash = strchr(part, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(root, part, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdirat(root, part, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int put_tools(const struct visit *v, const int *trees, int root)
{
	int r = make_dirs(root, VISIT_TOOLS "/bin");

	for (size_t i = 0; r == 0 && i < v->trees.n; i++) {
		CLEANUP_STR char *at = xasprintf(VISIT_TOOLS "%s", v->trees.v[i]);
		r = make_dirs(root, at);
		if (r == 0)
			r = attach(trees[i], root, path_relative(at));
	}
	for (size_t i = 0; r == 0 && i < v->links.n; i++) {
		size_t n = strcspn(v->links.v[i], "=");
		CLEANUP_STR char *name = xasprintf(".host/bin/%.*s", (int)n, v->links.v[i]);
		CLEANUP_STR char *to = xasprintf(VISIT_TOOLS "%s", v->links.v[i] + n + 1);
		r = symlinkat(to, root, name) < 0 && errno != EEXIST ? -errno : 0;
	}
	return r;
}

/* The host's loader in the place where its programs name it. Where the jail has a link at its top
 * (/lib64) that leads to no loader, the visitor has a directory. */
static int put_loader(const char *path, int loader, int root)
{
	CLEANUP_STR char *up = path_parent(path);
	CLEANUP_FD int there = find(root, path);

	if (there >= 0)
		return attach(loader, there, "");
	if (unlinkat(root, path_relative(up), 0) < 0 && errno != ENOENT && errno != EISDIR &&
	    errno != EROFS)
		return -errno;
	int r = make_dirs(root, up);
	if (r == 0)
		r = mknodat(root, path_relative(path), S_IFREG | 0755, 0) < 0 ? -errno : 0;
	return r < 0 ? r : attach(loader, root, path_relative(path));
}

/* What the jail would have its own programs load must not be loaded by the host's. */
static int cover_preload(int root)
{
	CLEANUP_FD int there = find(root, "/etc/ld.so.preload");

	if (there < 0)
		return there == -ENOENT || there == -ENOTDIR ? 0 : there;
	if (mknodat(root, ".host/empty", S_IFREG | 0444, 0) < 0)
		return -errno;
	CLEANUP_FD int mnt = open_tree(root, ".host/empty", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return mnt < 0 ? -errno : attach(mnt, there, "");
}

static int go_there(int root)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

	if (mount_setattr(root, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -errno;
	return root_pivot(root);
}

int visit_root(const struct visit *v, const int *trees, int loader, struct err *e)
{
	static const char *const options[] = {"mode", "0755", NULL};
	CLEANUP_FD int jail = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int root = rootfs_fs("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);

	if (jail < 0 || root < 0)
		return err_errno(e, jail < 0 ? -errno : root, "making a root for the visit");
	if (move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_errno(e, -errno, "attaching the visit's root");
	int r = copy_names(jail, root);
	if (r < 0)
		return err_errno(e, r, "showing the jail's files");
	r = put_tools(v, trees, root);
	if (r < 0)
		return err_errno(e, r, "bringing the host's tools");
	r = loader >= 0 ? put_loader(v->loader, loader, root) : 0;
	if (r < 0)
		return err_errno(e, r,
				 "the host's tools find no place for their loader %s in this jail",
				 v->loader);
	r = cover_preload(root);
	if (r == 0)
		r = go_there(root);
	return r < 0 ? err_errno(e, r, "entering the visit's root") : 0;
}
