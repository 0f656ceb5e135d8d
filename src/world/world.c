/* SPDX-License-Identifier: MIT */
/* How a world is made. A keeper process gets the new namespaces and sets them up; we take hold of
 * them by descriptor, and the keeper ends. The order in the keeper:
 *
 * 1. propagation private: nothing that follows reaches the host's mounts. Where we were chrooted,
 *    what lies there is the host from here on (base/root.h).
 * 2. the network, while /proc/sys of the host's mount is still there to be written to (it shows the
 *    writer's own network namespace).
 *    The same for the sizes of System V's and POSIX's queues and segments.
 * 3. an overlay over each of the host's file systems, parents first, into SCRATCH/root.
 * 4. /sys, /dev, fresh ones. /proc comes with the pid namespace.
 * 5. sockets and pid files of the host's processes go; a /dev/log that leads nowhere comes.
 * 6. root_pivot(); the host's mounts are gone from here. */
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
#include "base/root.h"
#include "confine/device.h"
#include "confine/ipc.h"
#include "confine/rootfs.h"
#include "fs/beneath.h"
#include "world/leftovers.h"
#include "world/log.h"
#include "world/mounts.h"
#include "world/net.h"
#include "world/overlay.h"

/* What of the host must be known before the keeper is in namespaces of its own. */
struct host_face {
	struct net_face *net; /* NULL: its network is the world's too */
	struct ipc_settings *ipc;
	struct strv leftovers;
	struct log_nowhere *log; /* the world's */
};

static void host_observe(enum world_net net, struct host_face *ret)
{
	ret->net = net == WORLD_NET_PRIVATE ? net_observe() : NULL;
	ret->ipc = ipc_observe();
	leftovers_observe(&ret->leftovers);
}

static void host_face_done(struct host_face *h)
{
	net_face_free(h->net);
	ipc_settings_free(h->ipc);
	strv_done(&h->leftovers);
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
		int r = m->directory ? overlay_mount(scratch, i, m->point, m->attr) : -ENOTDIR;
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
	return device_populate(dev, 0, e);
}

static int set_up(const char *scratch, const struct host_face *host, struct err *e)
{
	struct mount_table mounts CLEANUP(mount_table_done) = {0};
	CLEANUP_FD int root = -1;

	umask(0);
	int r = root_own();
	if (r < 0)
		return err_errno(e, r, "making mounts private");
	r = host->net ? net_dress(host->net, e) : 0;
	ipc_dress(host->ipc);
	if (r == 0)
		r = mount_table_read(&mounts, e);
	if (r == 0)
		r = mount_host(scratch, &mounts, &root, e);
	if (r == 0)
		r = mount_kernel(root, e);
	if (r < 0)
		return r;
	leftovers_remove(root, &host->leftovers);
	r = log_nowhere_place(host->log, root, "/dev");
	if (r < 0)
		return err_errno(e, r, "making the world's /dev/log");
	r = root_pivot(root);
	return r < 0 ? err_errno(e, r, "entering the world") : 0;
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

/* What the keeper says, written at once; a signal may come meanwhile. */
static bool hear(int fd, struct err *ret)
{
	ssize_t n;

	do
		n = read(fd, ret, sizeof(*ret));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*ret);
}

int world_open(const char *scratch, enum world_net net, struct world *ret, struct err *e)
{
	struct world w CLEANUP_WORLD = WORLD_INIT;
	struct host_face host CLEANUP(host_face_done) = {.net = NULL};
	struct err said = {0};
	int pipes[2], done[2], status = 0;

	host_observe(net, &host);
	log_nowhere_open(&w.log, false);
	host.log = &w.log;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_errno(e, -errno, "making a pipe");
	if (pipe2(done, O_CLOEXEC) < 0) {
		err_errno(e, -errno, "making a pipe");
		close(pipes[0]);
		close(pipes[1]);
		return e->code;
	}
	pid_t keeper = clone_keeper(net);
	if (keeper == 0) {
		char byte;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(done[1]);
		close(pipes[0]);
		set_up(scratch, &host, &said);
		fd_write_all(pipes[1], &said, sizeof(said));
		ssize_t ignored = read(done[0], &byte, 1); /* until we are held */
		_exit(ignored != 0);
	}
	int r = keeper < 0 ? -errno : 0;
	close(pipes[1]);
	close(done[0]);
	bool told = r == 0 && hear(pipes[0], &said);
	if (told)
		r = said.code;
	if (told && r == 0 && (r = hold(keeper, &w)) < 0)
		err_errno(&said, r, "holding the world");
	close(done[1]);
	close(pipes[0]);
	if (keeper > 0)
		while (waitpid(keeper, &status, 0) < 0 && errno == EINTR)
			;
	if (keeper > 0 && !told)
		r = err_set(&said, -EIO, "the world's first process died: %s %d",
			    WIFSIGNALED(status) ? "signal" : "status",
			    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	if (r < 0)
		return err_set(e, r, "making a world: %s",
			       said.code ? said.msg : "no new namespaces are to be had here");
	*ret = w;
	w = (struct world)WORLD_INIT;
	return 0;
}

void world_close(struct world *w)
{
	fd_close(&w->root);
	fd_close(&w->mnt_ns);
	fd_close(&w->net_ns);
	fd_close(&w->ipc_ns);
	fd_close(&w->uts_ns);
	log_nowhere_close(&w->log);
}
