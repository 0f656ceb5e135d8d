/* SPDX-License-Identifier: MIT */
#include "fs/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "fs/beneath.h"

#define TRIES 100

/* The pid the holder wrote, 0 where it has not yet. */
static int read_holder(int fd)
{
	char text[16] = "";
	int pid = 0;

	if (pread(fd, text, sizeof(text) - 1, 0) > 0 && sscanf(text, "%9d", &pid) == 1 && pid > 0)
		return pid;
	return 0;
}

static int tell_held(int fd, const char *name, struct err *e)
{
	int pid = read_holder(fd);

	if (pid)
		return err_set(e, -EBUSY, "%s is held by pid %d", name, pid);
	return err_set(e, -EBUSY, "%s is held by another process", name);
}

/* Only information: a disk too full for it does not make the lock fail. */
static void write_holder(int fd)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d\n", getpid());

	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, text, (size_t)n, 0);
}

/* Whether @name still is the file that is open: its holder may have removed it before we got it. */
static bool is_current(int fd, int dirfd, const char *name)
{
	struct stat ours, theirs;

	return fstat(fd, &ours) == 0 && fstatat(dirfd, name, &theirs, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

static int open_file(int dirfd, const char *name, struct err *e)
{
	const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	CLEANUP_FD int fd = openat(dirfd, name, flags, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, -errno, "cannot open the lock file %s", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "the lock file %s is not a regular file", name);
	return take_fd(&fd);
}

static int lock(int dirfd, const char *name, int how, struct err *e)
{
	if (!beneath_is_name(name))
		return err_set(e, -EINVAL, "\"%s\" cannot name a lock file", name);
	for (int i = 0; i < TRIES; i++) {
		CLEANUP_FD int fd = open_file(dirfd, name, e);
		if (fd < 0)
			return fd;
		if (flock(fd, how) < 0) {
			if (errno == EWOULDBLOCK)
				return tell_held(fd, name, e);
			return err_errno(e, -errno, "cannot lock %s", name);
		}
		if (is_current(fd, dirfd, name)) {
			write_holder(fd);
			return take_fd(&fd);
		}
	}
	return err_set(e, -ESTALE, "the lock file %s is being replaced again and again", name);
}

int lock_try(int dirfd, const char *name, struct err *e)
{
	return lock(dirfd, name, LOCK_EX | LOCK_NB, e);
}

int lock_wait(int dirfd, const char *name, struct err *e)
{
	return lock(dirfd, name, LOCK_EX, e);
}
