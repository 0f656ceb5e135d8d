/* SPDX-License-Identifier: MIT */
/* What is put into a world that stands. Each is done by a child that enters the world's mount
 * namespace and ends. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/root.h"
#include "confine/rootfs.h"
#include "fs/beneath.h"
#include "world/overlay.h"
#include "world/world.h"

enum {
	MAX_SOCKETS = 200, /* each needs a descriptor */
	MAX_ENTRIES = 20000,
	MAX_DEPTH = 8,
};

/* What one child does; @mnt, @path and @source as their functions say. */
struct work {
	const struct world *w;
	const char *target, *source, *path, *scratch;
	int mnt;
	const struct strv *sockets;
	int *mounts; /* of the sockets */
};

static int in_child(int (*work)(const struct work *), const struct work *arg)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(-work(arg));
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid < 0 ? -errno : WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

/* The world's root, in its mount namespace, where we are from now on. */
static int enter(const struct world *w)
{
	if (setns(w->mnt_ns, CLONE_NEWNS) < 0)
		return -errno;
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? -errno : root;
}

static int attach(int mnt, int at)
{
	unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
	return move_mount(mnt, "", at, "", flags) < 0 ? -errno : 0;
}

/* A detached mount of @source, with what is mounted there, or an empty one that looks like the
 * directory @at. */
static int substitute_mount(int root, int at, const char *source)
{
	static const char *const none[] = {NULL};
	struct stat st;

	if (source) {
		CLEANUP_FD int src = beneath_open_nolink(root, source, O_PATH | O_DIRECTORY, 0);
		if (src < 0)
			return src;
		int mnt = open_tree(
		    src, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
		return mnt < 0 ? -errno : mnt;
	}
	if (fstat(at, &st) < 0)
		return -errno;
	CLEANUP_FD int mnt = rootfs_fs("tmpfs", none, 0);
	CLEANUP_FD int dir = mnt < 0 ? -1 : openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fchown(dir, st.st_uid, st.st_gid) < 0 || fchmod(dir, st.st_mode & 07777) < 0)
		return mnt < 0 ? mnt : -errno;
	return take_fd(&mnt);
}

static int substitute(const struct work *k)
{
	CLEANUP_FD int root = enter(k->w);
	CLEANUP_FD int at =
	    root < 0 ? root : beneath_open_nolink(root, k->target, O_PATH | O_DIRECTORY, 0);
	CLEANUP_FD int mnt = at < 0 ? at : substitute_mount(root, at, k->source);

	return mnt < 0 ? mnt : attach(mnt, at);
}

int world_substitute(const struct world *w, const char *target, const char *source, struct err *e)
{
	const struct work k = {.w = w, .target = target, .source = source};
	int r = in_child(substitute, &k);

	return r < 0 ? err_errno(e, r, "putting %s in the place of %s in the world",
				 source ? source : "an empty directory", target)
		     : 0;
}

/* An overlay wants its lower directory in a mount namespace: one of this child's own. */
static int cover(const struct work *k)
{
	CLEANUP_STR char *dir = path_join(k->scratch, "sample.XXXXXX");

	if (unshare(CLONE_NEWNS) < 0 || root_own() < 0 || !mkdtemp(dir))
		return -errno;
	CLEANUP_STR char *top = path_join(dir, "top");
	CLEANUP_STR char *lower = path_join(top, k->path);
	if (mkdir(top, 0700) < 0 ||
	    move_mount(k->mnt, "", AT_FDCWD, top, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	CLEANUP_FD int mnt = overlay_mount(dir, 0, lower, 0);
	CLEANUP_FD int root = mnt < 0 ? mnt : enter(k->w);
	CLEANUP_FD int at =
	    root < 0 ? root : beneath_open_nolink(root, k->target, O_PATH | O_DIRECTORY, 0);
	return at < 0 ? at : attach(mnt, at);
}

int world_cover(const struct world *w, const char *target, int mnt, const char *path,
		const char *scratch, struct err *e)
{
	const struct work k = {
	    .w = w, .target = target, .mnt = mnt, .path = path, .scratch = scratch};
	int r = in_child(cover, &k);

	return r < 0 ? err_errno(e, r, "covering %s in the world", target) : 0;
}

/* The sockets at and below @name. */
static void find_sockets(int parent, const char *name, const char *path, int depth, int *room,
			 struct strv *ret)
{
	struct stat st;

	if (ret->n >= MAX_SOCKETS || (*room)-- <= 0 ||
	    fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return;
	if (S_ISSOCK(st.st_mode))
		strv_add(ret, path);
	if (!S_ISDIR(st.st_mode) || !depth)
		return;
	CLEANUP_FD int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(dup(fd));
	struct dirent *de;
	while (d && (de = readdir(d))) {
		if (!beneath_is_name(de->d_name))
			continue;
		CLEANUP_STR char *below = path_join(path, de->d_name);
		find_sockets(fd, de->d_name, below, depth - 1, room, ret);
	}
	if (d)
		closedir(d);
}

/* The mount point of a socket is one: who looks at it from outside the mount sees no difference. */
static int bind_socket(int root, const char *path, int mnt)
{
	const char *name;
	CLEANUP_FD int dir = beneath_parent(root, path, &name);

	if (dir < 0)
		return dir;
	if (mknodat(dir, name, S_IFSOCK | 0600, 0) < 0 && errno != EEXIST)
		return -errno;
	CLEANUP_FD int at = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return at < 0 ? -errno : attach(mnt, at);
}

static int let_in(const struct work *k)
{
	CLEANUP_FD int root = enter(k->w);
	int r = root < 0 ? root : 0;

	for (size_t i = 0; r == 0 && i < k->sockets->n; i++)
		if (k->mounts[i] >= 0)
			r = bind_socket(root, k->sockets->v[i], k->mounts[i]);
	return r;
}

int world_let_in(const struct world *w, const struct strv *paths, struct err *e)
{
	struct strv sockets CLEANUP_STRV = STRV_INIT;
	int mounts[MAX_SOCKETS], room = MAX_ENTRIES;
	const struct work k = {.w = w, .sockets = &sockets, .mounts = mounts};

	for (size_t i = 0; i < paths->n; i++) {
		CLEANUP_STR char *path = realpath(paths->v[i], NULL);
		if (path)
			find_sockets(AT_FDCWD, path, path, MAX_DEPTH, &room, &sockets);
	}
	for (size_t i = 0; i < sockets.n; i++)
		mounts[i] = open_tree(AT_FDCWD, sockets.v[i],
				      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	int r = sockets.n ? in_child(let_in, &k) : 0;
	for (size_t i = 0; i < sockets.n; i++)
		fd_close(&mounts[i]);
	return r < 0 ? err_errno(e, r, "opening the sockets of BindPaths= to the world") : 0;
}
