/* SPDX-License-Identifier: MIT */
#include "confine/device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "base/str.h"
#include "confine/rootfs.h"

/* Numbers from the kernel's Documentation/admin-guide/devices.txt. */
static const struct {
	const char *name;
	unsigned major, minor;
	mode_t mode;
} nodes[] = {
    {"null", 1, 3, 0666},   {"zero", 1, 5, 0666},    {"full", 1, 7, 0666},
    {"random", 1, 8, 0666}, {"urandom", 1, 9, 0666}, {"tty", 5, 0, 0666},
};

static const struct {
	const char *name, *target;
} links[] = {
    {"fd", "/proc/self/fd"},	   {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"},
};

/* devpts gives a new terminal to group tty (5 on every distribution), as the host does. */
#define TTY_GROUP 5

static int attach(int dir, const char *name, int mnt)
{
	if (mkdirat(dir, name, 0755) < 0)
		return -errno;
	return move_mount(mnt, "", dir, name, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

/* File systems of /dev's own: private to this run, so neither terminals nor memory are shared. */
static int mount_own(int dir, uid_t base)
{
	char group[12];
	const char *const pts_options[] = {"ptmxmode", "0666", "mode", "0620", "gid", group, NULL};

	snprintf(group, sizeof(group), "%u", base + TTY_GROUP);
	CLEANUP_FD int pts =
	    rootfs_fs("devpts", pts_options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	CLEANUP_FD int shm = rootfs_tmpfs("/dev/shm", 01777,
					  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV);
	int r = pts < 0 ? pts : attach(dir, "pts", pts);

	if (r == 0)
		r = shm < 0 ? shm : attach(dir, "shm", shm);
	if (r == 0 && base && fchownat(dir, "shm", base, base, 0) < 0)
		r = -errno;
	return r;
}

int device_populate(int dev, uid_t base, struct err *e)
{
	mode_t old = umask(0);
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(nodes); i++)
		if (mknodat(dev, nodes[i].name, S_IFCHR | nodes[i].mode,
			    makedev(nodes[i].major, nodes[i].minor)) < 0)
			r = err_errno(e, -errno, "making /dev/%s", nodes[i].name);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(links); i++)
		if (symlinkat(links[i].target, dev, links[i].name) < 0)
			r = err_errno(e, -errno, "making /dev/%s", links[i].name);
	if (r == 0 && (r = mount_own(dev, base)) < 0)
		err_errno(e, r, "mounting /dev/pts and /dev/shm");
	umask(old);
	return r;
}

int device_copy(const struct stat *st, int dir, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(nodes) && S_ISCHR(st->st_mode); i++) {
		if (st->st_rdev != makedev(nodes[i].major, nodes[i].minor))
			continue;
		if (mknodat(dir, name, st->st_mode, st->st_rdev) < 0 ||
		    fchownat(dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		return fchmodat(dir, name, st->st_mode & 07777, 0) < 0 ? -errno : 0;
	}
	return -EPERM;
}

bool device_is_minimal(const char *path)
{
	const char *name = str_after(path, "/dev/");

	for (size_t i = 0; name && i < ARRAY_LEN(nodes); i++)
		if (streq(name, nodes[i].name))
			return true;
	return false;
}
