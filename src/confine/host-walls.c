/* SPDX-License-Identifier: MIT */
#include "confine/host-walls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/root.h"
#include "base/str.h"
#include "confine/cgroup.h"
#include "confine/landlock.h"
#include "confine/peers.h"
#include "confine/rootfs.h"
#include "confine/users.h"

#define PATIENCE_SECONDS 10

static int outcome(long r)
{
	return r < 0 ? -errno : 0;
}

static int try_mount_api(const struct host_wall *w UNUSED)
{
	static const char *const options[] = {"mode", "0700", NULL};

	if (unshare(CLONE_NEWNS) < 0 || root_own() < 0)
		return -errno;
	CLEANUP_FD int tree = open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return -errno;
	CLEANUP_FD int made = rootfs_fs("tmpfs", options, MOUNT_ATTR_NOSUID);
	if (made < 0)
		return made;
	return outcome(move_mount(made, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH));
}

static int try_mount_setattr(const struct host_wall *w UNUSED)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	CLEANUP_FD int mnt = rootfs_fs("tmpfs", NULL, 0);

	if (mnt < 0)
		return mnt;
	return outcome(mount_setattr(mnt, "", AT_EMPTY_PATH, &attr, sizeof(attr)));
}

static const struct {
	const char *name;
	int flag;
} namespaces[] = {
    {"mount-namespace", CLONE_NEWNS},	   {"pid-namespace", CLONE_NEWPID},
    {"ipc-namespace", CLONE_NEWIPC},	   {"uts-namespace", CLONE_NEWUTS},
    {"cgroup-namespace", CLONE_NEWCGROUP}, {"network-namespace", CLONE_NEWNET},
    {"user-namespace", CLONE_NEWUSER},
};

static int try_namespace(const struct host_wall *w)
{
	for (size_t i = 0; i < ARRAY_LEN(namespaces); i++)
		if (streq(namespaces[i].name, w->name))
			return outcome(unshare(namespaces[i].flag));
	return -EINVAL;
}

static int load_filter(unsigned flags)
{
	struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	const struct sock_fprog f = {.len = ARRAY_LEN(all), .filter = all};

	return outcome(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &f));
}

static int try_filter(const struct host_wall *w UNUSED)
{
	return load_filter(0);
}

static int try_listener(const struct host_wall *w UNUSED)
{
	return load_filter(SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

static int try_no_new_privs(const struct host_wall *w UNUSED)
{
	return outcome(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static int try_openat2(const struct host_wall *w UNUSED)
{
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC,
				     .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS |
						RESOLVE_NO_MAGICLINKS};
	return outcome(syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how)));
}

static int try_close_range(const struct host_wall *w UNUSED)
{
	return outcome(close_range(3, ~0u, 0));
}

static int try_pidfd(const struct host_wall *w UNUSED)
{
	CLEANUP_FD int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (fd < 0)
		return -errno;
	return outcome(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* A number in a pid namespace of our own is always free: its first process is number 1. */
static int try_set_tid(const struct host_wall *w UNUSED)
{
	pid_t first = 1;
	struct clone_args args = {.flags = CLONE_NEWPID,
				  .exit_signal = SIGCHLD,
				  .set_tid = (uintptr_t)&first,
				  .set_tid_size = 1};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(getpid() != 1);
	if (pid < 0)
		return -errno;
	reap(pid);
	return 0;
}

static int try_landlock(const struct host_wall *w)
{
	struct strv missing CLEANUP_STRV = STRV_INIT;

	landlock_missing(landlock_abi(), &missing);
	return strv_has(&missing, w->name) ? -EOPNOTSUPP : 0;
}

static int try_cgroup(const struct host_wall *w UNUSED)
{
	struct cgroup c CLEANUP_CGROUP = CGROUP_INIT;
	char name[48];

	snprintf(name, sizeof(name), "immure-check-%d", (int)getpid());
	cgroup_make(name, &(struct cgroup_limits){.memory = 1 << 26, .processes = 64}, &c);
	return c.n ? 0 : -EOPNOTSUPP;
}

static int try_peers(const struct host_wall *w UNUSED)
{
	const struct peers peers = {.limits_connects = true};
	struct cgroup c CLEANUP_CGROUP = CGROUP_INIT;
	CLEANUP_STR char *point = cgroup_point();
	char name[48];

	snprintf(name, sizeof(name), "immure-check-%d", (int)getpid());
	if (point)
		cgroup_make_below(point, name, &c);
	return peers_enforce(&peers, &c, NULL);
}

static int try_proc(const struct host_wall *w UNUSED)
{
	static const char *const options[] = {"hidepid", "ptraceable", "subset", "pid", NULL};
	CLEANUP_FD int mnt = rootfs_fs("proc", options, MOUNT_ATTR_NOSUID);

	return mnt < 0 ? mnt : 0;
}

/* Of the file system that the host's root has: that is where jails and state are. */
static int try_idmap(const struct host_wall *w UNUSED)
{
	CLEANUP_FD int user = users_make(users_base("check"), NULL);
	if (user < 0)
		return user;
	CLEANUP_FD int tree = open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return -errno;
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user};
	return outcome(mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)));
}

static const struct host_wall walls[] = {
    {"mount-namespace", WALL_REQUIRED, "2.4.19", try_namespace},
    {"pid-namespace", WALL_REQUIRED, "2.6.24", try_namespace},
    {"ipc-namespace", WALL_REQUIRED, "2.6.30", try_namespace},
    {"uts-namespace", WALL_REQUIRED, "2.6.19", try_namespace},
    {"cgroup-namespace", WALL_REQUIRED, "4.6", try_namespace},
    {"network-namespace", WALL_REQUIRED, "2.6.29", try_namespace},
    {"mount-api", WALL_REQUIRED, "5.2", try_mount_api},
    {"mount-setattr", WALL_REQUIRED, "5.12", try_mount_setattr},
    {"openat2", WALL_REQUIRED, "5.6", try_openat2},
    {"close-range", WALL_REQUIRED, "5.9", try_close_range},
    {"pidfd", WALL_REQUIRED, "5.3", try_pidfd},
    {"no-new-privs", WALL_REQUIRED, "3.5", try_no_new_privs},
    {"seccomp-filter", WALL_REQUIRED, "3.17", try_filter},
    {"seccomp-listener", WALL_REQUIRED, "5.0", try_listener},
    {"same-pid", WALL_EXTRA, "5.5", try_set_tid},
    {"landlock-files", WALL_EXTRA, "5.19", try_landlock},
    {"landlock-net", WALL_EXTRA, "6.7", try_landlock},
    {"landlock-ioctl", WALL_EXTRA, "6.10", try_landlock},
    {"landlock-scope", WALL_EXTRA, "6.12", try_landlock},
    {"cgroup-limits", WALL_EXTRA, "2.6.25", try_cgroup},
    {"peers", WALL_EXTRA, "4.17", try_peers},
    {"proc-subset", WALL_EXTRA, "5.8", try_proc},
    {"user-namespace", WALL_EXTRA, "3.8", try_namespace},
    {"idmapped-mounts", WALL_EXTRA, "5.12", try_idmap},
};

const struct host_wall *host_walls(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(walls);
	return walls;
}

/* 0, an errno, or 255 for none that a status could carry. */
static NORETURN void attempt(const struct host_wall *w)
{
	signal(SIGALRM, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(PATIENCE_SECONDS);
	int r = w->attempt(w);
	_exit(r > -255 ? -r : 255);
}

int host_wall_try(const struct host_wall *w)
{
	int status = 0;

	fflush(NULL); /* the child's copy of a buffer must not be written twice */
	pid_t pid = fork();
	if (pid == 0)
		attempt(w);
	if (pid < 0)
		return -errno;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGALRM ? -ETIME : -EINTR;
	return -WEXITSTATUS(status);
}
