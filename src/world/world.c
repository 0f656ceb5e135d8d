/* SPDX-License-Identifier: MIT */
/* How a world is made. A keeper process gets the new namespaces and sets them up; we take hold of
 * them by descriptor, and the keeper ends. The order in the keeper:
 *
 * 1. propagation private: nothing that follows reaches the host's mounts.
 * 2. the network, while /proc/sys of the host's mount is still there to be written to (it shows the
 *    writer's own network namespace).
 * 3. an overlay over each of the host's file systems, parents first, into SCRATCH/root. Options in
 *    research/worlds.md: redirect_dir so that a lower directory can be renamed, metacopy so that
 *    chown copies no data, index for hard links, volatile because nothing here is worth an fsync.
 * 4. /sys, /dev, fresh ones. /proc comes with the pid namespace.
 * 5. pivot_root; the host's mounts are gone from here. */
#include "world/world.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "confine/device.h"
#include "confine/rootfs.h"
#include "fs/beneath.h"
#include "fs/meta.h"
#include "world/mounts.h"
#include "world/net.h"

/* Tried in this order: kernels and file systems refuse some (metacopy or index without file
 * handles, volatile before 5.10). */
static const char *const overlay_options[][10] = {
    {"redirect_dir", "on", "metacopy", "on", "index", "on", "volatile", NULL, NULL},
    {"redirect_dir", "on", "metacopy", "on", "index", "on", NULL},
    {"redirect_dir", "on", "index", "off", NULL},
    {NULL},
};

/* ":" and "\" are special in a lowerdir list, "," in old kernels' option strings. */
static char *escape_lower(const char *path)
{
	char *out = xcalloc(2 * strlen(path) + 1, 1), *to = out;

	for (; *path; path++) {
		if (*path == ':' || *path == '\\' || *path == ',')
			*to++ = '\\';
		*to++ = *path;
	}
	return out;
}

static int set_options(int ctx, const char *const *options)
{
	for (size_t i = 0; options[i]; i += 2) {
		bool flag = !options[i + 1];
		if (fsconfig(ctx, flag ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, options[i],
			     options[i + 1], 0) < 0)
			return -errno;
		if (flag)
			break;
	}
	return 0;
}

static int overlay(const char *lower, const char *upper, const char *work,
		   const char *const *options, unsigned attr)
{
	const char *const dirs[][2] = {{"lowerdir", lower}, {"upperdir", upper}, {"workdir", work}};
	CLEANUP_FD int ctx = fsopen("overlay", FSOPEN_CLOEXEC);

	if (ctx < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (fsconfig(ctx, FSCONFIG_SET_STRING, dirs[i][0], dirs[i][1], 0) < 0)
			return -errno;
	int r = set_options(ctx, options);
	if (r < 0)
		return r;
	if (fsconfig(ctx, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	int mnt = fsmount(ctx, FSMOUNT_CLOEXEC, attr);
	return mnt < 0 ? -errno : mnt;
}

/* The root of an overlay shows the metadata of its upper layer: that of the lower is put on it. */
static int dress_upper(const char *lower, const char *upper)
{
	struct meta m CLEANUP_META = META_INIT;
	CLEANUP_FD int fd = open(lower, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : meta_read(fd, &m);

	return r < 0 ? r : meta_apply(AT_FDCWD, upper, &m);
}

static int try_overlay(const char *scratch, size_t n, const char *point, unsigned attr)
{
	CLEANUP_STR char *lower = escape_lower(point);
	int r = -EINVAL;

	for (size_t i = 0; r < 0 && i < ARRAY_LEN(overlay_options); i++) {
		/* A work directory that a failed attempt touched may not be used again. */
		CLEANUP_STR char *upper = xasprintf("%s/upper%zu.%zu", scratch, n, i);
		CLEANUP_STR char *work = xasprintf("%s/work%zu.%zu", scratch, n, i);
		if (mkdir(upper, 0700) < 0 || mkdir(work, 0700) < 0)
			return -errno;
		r = dress_upper(point, upper);
		if (r < 0)
			return r;
		r = overlay(lower, upper, work, overlay_options[i], attr);
	}
	return r;
}

/* Attaches @mnt at @point of the world that is being built below @root. */
static int attach(int root, int mnt, const char *point)
{
	CLEANUP_FD int at = beneath_open_nolink(root, point, O_PATH, 0);
	if (at < 0)
		return at;
	return move_mount(mnt, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
		   ? -errno
		   : 0;
}

static int bind_read_only(const char *point)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	int mnt = open_tree(AT_FDCWD, point, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (mnt >= 0 && mount_setattr(mnt, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0)
		return mnt;
	int r = -errno;
	fd_close(&mnt);
	return r;
}

static int mount_host(const char *scratch, const struct mount_table *t, int *ret_root,
		      struct err *e)
{
	*ret_root = -1;
	for (size_t i = 0; i < t->n; i++) {
		const struct mount *m = &t->v[i];
		int r = m->directory ? try_overlay(scratch, i, m->point, m->attr) : -ENOTDIR;
		if (r < 0 && i == 0)
			return err_errno(e, r,
					 "an overlay of / in %s (its file system cannot hold one? "
					 "set IMMURE_STATE_DIR to a directory on a local disk)",
					 scratch);
		if (r < 0)
			r = bind_read_only(m->point);
		CLEANUP_FD int mnt = r;
		if (i == 0) {
			CLEANUP_STR char *at = path_join(scratch, "root");
			if (mkdir(at, 0755) < 0 ||
			    move_mount(mnt, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH) < 0)
				return err_errno(e, -errno, "attaching the world's root");
			*ret_root = take_fd(&mnt);
			continue;
		}
		r = mnt < 0 ? mnt : attach(*ret_root, mnt, m->point);
		if (r < 0)
			return err_errno(e, r, "taking %s into the world", m->point);
	}
	return 0;
}

/* Fresh kernel file systems where the host has directories for them. */
static int mount_kernel(int root, struct err *e)
{
	static const char *const dev_options[] = {"mode", "0755", NULL};
	static const char *const none[] = {NULL};
	CLEANUP_FD int sys =
	    rootfs_fs("sysfs", none,
		      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	CLEANUP_FD int dev = rootfs_fs("tmpfs", dev_options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);

	int r = sys < 0 ? sys : attach(root, sys, "/sys");
	if (r < 0)
		return err_errno(e, r, "mounting the world's /sys");
	r = dev < 0 ? dev : attach(root, dev, "/dev");
	if (r < 0)
		return err_errno(e, r, "mounting the world's /dev");
	return device_populate(dev, e);
}

static int set_up(const char *scratch, const struct mount_table *t, const struct net_face *face,
		  struct err *e)
{
	CLEANUP_FD int root = -1;

	umask(0);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_errno(e, -errno, "making mounts private");
	int r = face ? net_dress(face, e) : 0;
	if (r == 0)
		r = mount_host(scratch, t, &root, e);
	if (r == 0)
		r = mount_kernel(root, e);
	if (r < 0)
		return r;
	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_errno(e, -errno, "entering the world");
	return 0;
}

static pid_t clone_keeper(enum world_net net)
{
	struct clone_args args = {
	    .flags = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP |
		     (net == WORLD_NET_PRIVATE ? (uint64_t)CLONE_NEWNET : 0),
	    .exit_signal = SIGCHLD,
	};
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static int hold(pid_t keeper, struct world *w)
{
	const struct {
		const char *name;
		int *fd, flags;
	} parts[] = {
	    {"ns/mnt", &w->mnt_ns, O_RDONLY}, {"ns/net", &w->net_ns, O_RDONLY},
	    {"ns/ipc", &w->ipc_ns, O_RDONLY}, {"ns/uts", &w->uts_ns, O_RDONLY},
	    {"root", &w->root, O_PATH},
	};
	char path[64];

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", keeper, parts[i].name);
		*parts[i].fd = open(path, parts[i].flags | O_CLOEXEC);
		if (*parts[i].fd < 0)
			return -errno;
	}
	return 0;
}

int world_open(const char *scratch, enum world_net net, struct world *ret, struct err *e)
{
	struct world w CLEANUP_WORLD = WORLD_INIT;
	struct mount_table t CLEANUP_MOUNT_TABLE = MOUNT_TABLE_INIT;
	struct err said = {0};
	int pipes[2], done[2];

	int r = mount_table_read(&t, e);
	if (r < 0)
		return r;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_errno(e, -errno, "making a pipe");
	if (pipe2(done, O_CLOEXEC) < 0) {
		r = -errno;
		close(pipes[0]);
		close(pipes[1]);
		return err_errno(e, r, "making a pipe");
	}
	struct net_face *face = net == WORLD_NET_PRIVATE ? net_observe() : NULL;
	pid_t keeper = clone_keeper(net);
	if (keeper == 0) {
		char byte;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(done[1]);
		close(pipes[0]);
		set_up(scratch, &t, face, &said);
		fd_write_all(pipes[1], &said, sizeof(said));
		ssize_t ignored = read(done[0], &byte, 1); /* until we are held */
		_exit(ignored != 0);
	}
	r = keeper < 0 ? -errno : 0;
	close(pipes[1]);
	close(done[0]);
	net_face_free(face);
	if (r == 0 && read(pipes[0], &said, sizeof(said)) != (ssize_t)sizeof(said))
		r = err_set(&said, -EIO, "the world's first process died");
	if (r == 0)
		r = said.code;
	if (r == 0 && (r = hold(keeper, &w)) < 0)
		err_errno(&said, r, "holding the world");
	close(done[1]);
	close(pipes[0]);
	if (keeper > 0)
		while (waitpid(keeper, NULL, 0) < 0 && errno == EINTR)
			;
	if (r < 0)
		return err_set(e, r, "making a world: %s",
			       said.code ? said.msg : "no new namespaces are to be had here");
	*ret = w;
	w = (struct world)WORLD_INIT;
	return 0;
}

/* A detached mount of @source, or an empty one that looks like the directory @at. */
static int substitute_mount(int root, int at, const char *source)
{
	static const char *const none[] = {NULL};
	struct stat st;

	if (source) {
		CLEANUP_FD int src = beneath_open_nolink(root, source, O_PATH | O_DIRECTORY, 0);
		if (src < 0)
			return src;
		int mnt = open_tree(src, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
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

static int substitute(const struct world *w, const char *target, const char *source)
{
	if (setns(w->mnt_ns, CLONE_NEWNS) < 0)
		return -errno;
	CLEANUP_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int at = beneath_open_nolink(root, target, O_PATH | O_DIRECTORY, 0);
	CLEANUP_FD int mnt = at < 0 ? at : substitute_mount(root, at, source);
	if (mnt < 0)
		return mnt;
	return move_mount(mnt, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
		   ? -errno
		   : 0;
}

int world_substitute(const struct world *w, const char *target, const char *source, struct err *e)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(-substitute(w, target, source));
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	int r = pid < 0 ? -errno : WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
	return r < 0 ? err_errno(e, r, "putting %s in the place of %s in the world",
				 source ? source : "an empty directory", target)
		     : 0;
}

void world_close(struct world *w)
{
	fd_close(&w->root);
	fd_close(&w->mnt_ns);
	fd_close(&w->net_ns);
	fd_close(&w->ipc_ns);
	fd_close(&w->uts_ns);
}
