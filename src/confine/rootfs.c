/* SPDX-License-Identifier: MIT */
/* The order, and why (research: runc CVE-2021-30465, 2024-21626, crun CVE-2019-18837):
 *
 * 1. Sources are opened first, while the old root is "/": by openat2 without following any link, so
 *    that a service that owns a directory on the way cannot exchange it for a link to /etc.
 * 2. The new root is attached somewhere (over the old /), held by a descriptor only.
 * 3. Targets are resolved below that descriptor, without links and without leaving it. A planted
 *    link there stops the start. Nothing is created in the root itself except in our own tmpfs.
 * 4. Each mount is made detached (open_tree, fsmount), given its flags, and attached complete: no
 *    moment exists at which it is writable and reachable.
 * 5. pivot_root(".", ".") and a lazy unmount: nothing of the old root stays, not even as a cwd. */
#include "confine/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "base/path.h"
#include "base/root.h"
#include "base/str.h"
#include "confine/device.h"
#include "confine/walls.h"

static int open_strict(int dir, const char *path, int flags)
{
	struct open_how how = {
	    .flags = (unsigned)flags | O_CLOEXEC,
	    .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	if (dir >= 0)
		how.resolve |= RESOLVE_BENEATH;
	long fd = syscall(SYS_openat2, dir >= 0 ? dir : AT_FDCWD,
			  dir >= 0 ? path_relative(path) : path, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

int rootfs_fs(const char *fstype, const char *const *options, unsigned attr)
{
	CLEANUP_FD int ctx = fsopen(fstype, FSOPEN_CLOEXEC);
	if (ctx < 0)
		return -errno;
	for (; options && options[0]; options += 2)
		if (fsconfig(ctx, FSCONFIG_SET_STRING, options[0], options[1], 0) < 0)
			return -errno;
	if (fsconfig(ctx, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	int mnt = fsmount(ctx, FSMOUNT_CLOEXEC, attr);
	return mnt < 0 ? -errno : mnt;
}

static uint64_t attributes(unsigned flags)
{
	static const struct {
		unsigned flag;
		uint64_t attr;
	} map[] = {
	    {MOUNT_READONLY, MOUNT_ATTR_RDONLY},
	    {MOUNT_NOSUID, MOUNT_ATTR_NOSUID},
	    {MOUNT_NODEV, MOUNT_ATTR_NODEV},
	    {MOUNT_NOEXEC, MOUNT_ATTR_NOEXEC},
	};
	uint64_t attr = 0;
	for (size_t i = 0; i < ARRAY_LEN(map); i++)
		if (flags & map[i].flag)
			attr |= map[i].attr;
	return attr;
}

/* No time of access on what is read-only: it could not be written, and the kernel would find that
 * out anew at each read of a file that has changed since it was read last. It is no wall: where we
 * may not choose it (a container's mounts have theirs locked) it stays as it is. */
static int set_attributes(int mnt, unsigned flags, unsigned at_flags)
{
	struct mount_attr attr = {.attr_set = attributes(flags),
				  .attr_clr = flags & MOUNT_EXEC ? MOUNT_ATTR_NOEXEC : 0,
				  .propagation = MS_PRIVATE};
	struct mount_attr quiet = attr;

	quiet.attr_set |= MOUNT_ATTR_NOATIME;
	quiet.attr_clr |= MOUNT_ATTR__ATIME; /* one of several that exclude each other */
	at_flags |= AT_EMPTY_PATH;
	if (flags & MOUNT_READONLY && mount_setattr(mnt, "", at_flags, &quiet, sizeof(quiet)) == 0)
		return 0;
	return mount_setattr(mnt, "", at_flags, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

/* Owners on disk as the jail's users (users.h); with @at_flags what is mounted below too. */
static int map_users(const struct plan *p, int mnt, unsigned at_flags)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)p->user_ns};

	if (!p->user_base)
		return 0;
	return mount_setattr(mnt, "", AT_EMPTY_PATH | at_flags, &attr, sizeof(attr)) < 0 ? -errno
											 : 0;
}

/* A detached copy of the tree at @fd, flags set. */
static int clone_tree(int fd, unsigned flags)
{
	int mnt =
	    open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
	if (mnt < 0)
		return -errno;
	int r = set_attributes(mnt, flags, AT_RECURSIVE);
	if (r == 0)
		return mnt;
	close(mnt);
	return r;
}

/* The directory that @target is in. */
static int open_parent(int root, const char *target)
{
	char up[PATH_MAX];
	size_t n = (size_t)(path_base(target) - target);

	if (n >= sizeof(up))
		return -ENAMETOOLONG;
	memcpy(up, target, n);
	up[n] = '\0';
	return open_strict(root, up, O_PATH | O_DIRECTORY);
}

static int make_dir(const struct plan *p, const struct mount_op *op)
{
	int root = p->root;

	CLEANUP_FD int parent = open_parent(root, op->target);
	if (parent < 0)
		return parent;
	if (mkdirat(parent, path_base(op->target), op->mode) < 0)
		return errno == EEXIST ? 0 : -errno;
	CLEANUP_FD int dir = open_strict(root, op->target, O_RDONLY | O_DIRECTORY);
	if (dir < 0)
		return dir;
	if (fchown(dir, p->user_base + op->uid, p->user_base + op->gid) < 0 ||
	    fchmod(dir, op->mode) < 0)
		return -errno;
	return 0;
}

static int make_link(int root, const struct mount_op *op)
{
	CLEANUP_FD int parent = open_parent(root, op->target);
	if (parent < 0)
		return parent;
	return symlinkat(op->source, parent, path_base(op->target)) < 0 ? -errno : 0;
}

/* A bind of what the jail's root has at @target, which a tmpfs is about to cover: the mount point
 * is made in the tmpfs, as a file or a directory. */
static int make_mount_point(int root, const char *target, int source)
{
	struct stat st;
	CLEANUP_FD int parent = open_parent(root, target);

	if (parent < 0)
		return parent;
	if (fstat(source, &st) < 0)
		return -errno;
	int r = S_ISDIR(st.st_mode) ? mkdirat(parent, path_base(target), 0755)
				    : mknodat(parent, path_base(target), S_IFREG | 0644, 0);
	return r < 0 && errno != EEXIST ? -errno : 0;
}

static int mount_tree(const struct plan *p, const struct mount_op *op, int source)
{
	int root = p->root;
	CLEANUP_FD int mnt = clone_tree(source, op->flags);
	if (mnt < 0)
		return mnt;
	/* The root is mapped already; the kernel's own trees have no owners to map. */
	if (op->kind == MOUNT_BIND && !(op->flags & MOUNT_UNMAPPED)) {
		int r = map_users(p, mnt, AT_RECURSIVE);
		if (r < 0)
			return r;
	}
	CLEANUP_FD int at = open_strict(root, op->target, O_PATH);
	if (at < 0)
		return at;
	return move_mount(mnt, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
		   ? -errno
		   : 0;
}

static int attach(int mnt, const struct mount_op *op, int root)
{
	CLEANUP_FD int at = open_strict(root, op->target, O_PATH | O_DIRECTORY);
	if (at < 0)
		return at;
	return move_mount(mnt, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
		   ? -errno
		   : 0;
}

int rootfs_tmpfs(const char *like, mode_t mode, unsigned attr)
{
	char permissions[16], size[32], inodes[32];
	const char *options[] = {"mode", permissions, NULL, size, "nr_inodes", inodes, NULL};
	struct statfs st;

	snprintf(permissions, sizeof(permissions), "%o", mode);
	if (statfs(like, &st) < 0 || st.f_type != TMPFS_MAGIC)
		return rootfs_fs("tmpfs", options, attr);
	options[2] = "size";
	snprintf(size, sizeof(size), "%llu",
		 (unsigned long long)st.f_blocks * (unsigned long long)st.f_bsize);
	snprintf(inodes, sizeof(inodes), "%llu", (unsigned long long)st.f_files);
	return rootfs_fs("tmpfs", options, attr);
}

/* Of whom it is where that is not root. */
static int own_tmpfs(const struct plan *p, const struct mount_op *op, int mnt)
{
	if (!p->user_base && !op->uid && !op->gid)
		return 0;
	CLEANUP_FD int dir = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fchown(dir, p->user_base + op->uid, p->user_base + op->gid) < 0 ||
	    fchmod(dir, op->mode) < 0)
		return -errno;
	return 0;
}

static int mount_tmpfs(const struct plan *p, const struct mount_op *op)
{
	CLEANUP_FD int mnt = rootfs_tmpfs(op->target, op->mode, (unsigned)attributes(op->flags));
	if (mnt < 0)
		return mnt;
	int r = own_tmpfs(p, op, mnt);
	return r < 0 ? r : attach(mnt, op, p->root);
}

static int mount_dev(const struct plan *p, const struct mount_op *op, struct err *e)
{
	static const char *const options[] = {"mode", "0755", NULL};
	CLEANUP_FD int mnt = rootfs_fs("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (mnt < 0)
		return mnt;
	int r = attach(mnt, op, p->root);
	return r < 0 ? r : device_populate(mnt, p->user_base, e);
}

static int cover_read_only(int proc, const char *name)
{
	CLEANUP_FD int at = openat(proc, name, O_PATH | O_CLOEXEC);
	if (at < 0)
		return errno == ENOENT ? 0 : -errno;
	CLEANUP_FD int mnt = clone_tree(at, MOUNT_READONLY);
	if (mnt < 0)
		return mnt;
	return move_mount(mnt, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
		   ? -errno
		   : 0;
}

int rootfs_proc(int at, const struct walls *walls, gid_t master)
{
	/* Of other users' processes nothing is seen, but by the group of root: a master that looks
	 * after its workers has it. hidepid by word is Linux 5.8. */
	char gid[12];
	const char *const hidden[] = {
	    "hidepid", "invisible", "gid", gid, walls && walls->proc_pids ? "subset" : NULL,
	    "pid",     NULL};

	static const char *const settings[] = {"acpi", "apm", "asound",	       "bus",
					       "fs",   "irq", "latency_stats", "mtrr",
					       "scsi", "sys", "sysrq-trigger", "timer_stats"};

	snprintf(gid, sizeof(gid), "%u", master);
	CLEANUP_FD int mnt = rootfs_fs("proc", walls ? hidden : NULL,
				       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	int r = mnt < 0 ? mnt : 0;

	if (r == 0 &&
	    move_mount(mnt, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		r = -errno;
	/* A /proc of processes alone has none of them. */
	size_t n = walls && walls->proc_pids ? 0 : ARRAY_LEN(settings);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = cover_read_only(mnt, settings[i]);
	return r;
}

static int mount_proc(const struct plan *p, const struct mount_op *op, int root)
{
	CLEANUP_FD int at = open_strict(root, op->target, O_PATH | O_DIRECTORY);
	return at < 0 ? at : rootfs_proc(at, p->walls, p->user_base);
}

#define NO_SOURCE INT_MIN /* no -errno */

/* The source descriptors of all binds and "own" mounts, opened before anything covers them. */
static int open_source(const struct plan *p, const struct mount_op *op)
{
	if (op->kind == MOUNT_BIND)
		return open_strict(-1, op->source, O_PATH);
	if (op->kind == MOUNT_OWN)
		return open_strict(p->root, op->target, O_PATH);
	return NO_SOURCE;
}

static int carry_out(const struct plan *p, const struct mount_op *op, int source, struct err *e)
{
	int root = p->root;
	int r;

	switch (op->kind) {
	case MOUNT_DIR:
		return make_dir(p, op);
	case MOUNT_LINK:
		return make_link(root, op);
	case MOUNT_BIND:
		r = make_mount_point(root, op->target, source);
		/* The root itself may be read-only: then the mount point was made at the seal. */
		return r < 0 && r != -EROFS ? r : mount_tree(p, op, source);
	case MOUNT_OWN:
		r = make_mount_point(root, op->target, source);
		return r < 0 ? r : mount_tree(p, op, source);
	case MOUNT_TMPFS:
		return mount_tmpfs(p, op);
	case MOUNT_DEV:
		return mount_dev(p, op, e);
	case MOUNT_PROC:
		return mount_proc(p, op, root);
	case MOUNT_ROOT_RO:
		return set_attributes(root, op->flags | MOUNT_READONLY, 0);
	}
	return -EINVAL;
}

static int mount_one(const struct plan *p, const struct mount_op *op, int source, struct err *e)
{
	if (source < 0 && source != NO_SOURCE) {
		if (source == -ENOENT && (op->flags & MOUNT_OPTIONAL))
			return 0;
		if (source == -ELOOP)
			return err_set(
			    e, source,
			    "%s: a symbolic link lies on this path; refusing to mount it",
			    op->kind == MOUNT_BIND ? op->source : op->target);
		return err_errno(e, source, "%s, which is to be mounted in the jail",
				 op->kind == MOUNT_BIND ? op->source : op->target);
	}
	struct err why = {0};
	int r = carry_out(p, op, source, &why);
	if (r == -ELOOP && !why.code)
		return err_set(e, r,
			       "%s: a symbolic link lies on this path in the jail; refusing to "
			       "mount there (immure build makes the jail anew)",
			       op->target);
	if (r < 0 && !why.code)
		return err_errno(e, r, "mounting %s in the jail", op->target);
	if (r < 0)
		return err_set(e, r, "%s", why.msg);
	return 0;
}

/* So many sources need no memory from the heap, whose pages would be copied for us alone. */
#define FEW 64

static int mount_all(const struct plan *p, struct err *e)
{
	size_t n = p->mounts.n;
	int few[FEW], *more CLEANUP_MEM = n > FEW ? xcalloc(n, sizeof(*more)) : NULL;
	int *sources = more ? more : few;
	int r = 0;

	for (size_t i = 0; i < n; i++)
		sources[i] = open_source(p, &p->mounts.v[i]);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = mount_one(p, &p->mounts.v[i], sources[i], e);
	for (size_t i = 0; i < n; i++)
		fd_close(&sources[i]);
	return r;
}

/* In a world the mounts are made where the exercise can see them, and the service's namespace is a
 * copy of that; else there is one namespace, and the root covers the old one. */
static int settle(const struct plan *p, struct err *e)
{
	CLEANUP_FD int copy = -1;

	if (p->root_at) {
		if (unshare(CLONE_NEWNS) < 0 || root_own() < 0)
			return err_errno(e, -errno, "making a mount namespace");
		copy = open_strict(-1, p->root_at, O_PATH | O_DIRECTORY);
		if (copy < 0)
			return err_errno(e, copy, "finding the jail's root in the world");
	}
	int r = root_pivot(p->root_at ? copy : p->root);
	return r < 0 ? err_errno(e, r, "changing to the jail's root") : 0;
}

int rootfs_enter(const struct plan *p, struct err *e)
{
	const char *at = p->root_at ? p->root_at : "/";
	int mapped = map_users(p, p->root, 0);

	if (mapped < 0)
		return err_errno(
		    e, mapped,
		    "PrivateUsers=: the file system of the jail's root cannot be mapped "
		    "(immure check --host: idmapped-mounts)");

	if (p->root_at && mkdir(at, 0755) < 0 && errno != EEXIST)
		return err_errno(e, -errno, "making %s in the world", at);
	if (move_mount(p->root, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_errno(e, -errno, "attaching the jail's root");
	mode_t old = umask(0);
	int r = mount_all(p, e);
	umask(old);
	if (r == 0)
		r = settle(p, e);
	return r;
}
