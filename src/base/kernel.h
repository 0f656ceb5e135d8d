/* SPDX-License-Identifier: MIT */
/* The mount calls of Linux 5.2 to 5.12, close_range(2), renameat2(2) and pidfds, for a C library
 * that has none: glibc has them since 2.36, musl, which immure-launch is linked with, does not. */
#pragma once

#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.16: descriptors are refused, not taken and closed */
#endif

#ifdef __GLIBC__
#include <sys/pidfd.h>
#else
#include <fcntl.h>
#include <linux/mount.h>
#include <signal.h>

#define RENAME_NOREPLACE (1 << 0) /* <linux/fs.h> would clash with <sys/mount.h> */
#define __O_TMPFILE	 020000000

static inline int renameat2(int from, const char *a, int to, const char *b, unsigned flags)
{
	return (int)syscall(SYS_renameat2, from, a, to, b, flags);
}

static inline int fsopen(const char *fstype, unsigned flags)
{
	return (int)syscall(SYS_fsopen, fstype, flags);
}

static inline int fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux)
{
	return (int)syscall(SYS_fsconfig, fd, cmd, key, value, aux);
}

static inline int fsmount(int fd, unsigned flags, unsigned attr)
{
	return (int)syscall(SYS_fsmount, fd, flags, attr);
}

static inline int open_tree(int dir, const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, dir, path, flags);
}

static inline int move_mount(int from, const char *from_path, int to, const char *to_path,
			     unsigned flags)
{
	return (int)syscall(SYS_move_mount, from, from_path, to, to_path, flags);
}

static inline int mount_setattr(int dir, const char *path, unsigned flags, struct mount_attr *attr,
				size_t size)
{
	return (int)syscall(SYS_mount_setattr, dir, path, flags, attr, size);
}

static inline int pidfd_open(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static inline int pidfd_send_signal(int fd, int sig, siginfo_t *info, unsigned flags)
{
	return (int)syscall(SYS_pidfd_send_signal, fd, sig, info, flags);
}

static inline int close_range(unsigned first, unsigned last, int flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}
#endif
