/* SPDX-License-Identifier: MIT */
#include "fs/temp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"

/* More taken names than this in a row are no accident. */
#define TRIES 100

static unsigned next_number(void)
{
	static atomic_uint number;
	unsigned start = 0, unset = 0;

	if (!atomic_load(&number) && getrandom(&start, sizeof(start), 0) == sizeof(start))
		atomic_compare_exchange_strong(&number, &unset, start);
	return atomic_fetch_add(&number, 1);
}

static int open_made(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int make_named(int dirfd, const char *name, mode_t type, const char *target)
{
	int r;

	switch (type) {
	case S_IFREG:
		r = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		return r < 0 ? -errno : r;
	case S_IFDIR:
		r = mkdirat(dirfd, name, 0700);
		break;
	case S_IFLNK:
		r = symlinkat(target, dirfd, name);
		break;
	case S_IFIFO:
	case S_IFSOCK:
		r = mknodat(dirfd, name, type | 0600, 0);
		break;
	default:
		return -EPERM;
	}
	return r < 0 ? -errno : 0;
}

int temp_make(struct temp *t, int dirfd, mode_t type, const char *target)
{
	int r = -EEXIST;

	t->dirfd = dirfd;
	for (int i = 0; r == -EEXIST && i < TRIES; i++) {
		snprintf(t->name, sizeof(t->name), TEMP_PREFIX "%d-%u", getpid(), next_number());
		r = make_named(dirfd, t->name, type, target);
	}
	t->made = r >= 0;
	return r < 0 || type == S_IFREG ? r : open_made(dirfd, t->name);
}

int temp_rename(struct temp *t, const char *name, unsigned flags)
{
	if (renameat2(t->dirfd, t->name, t->dirfd, name, flags) < 0)
		return -errno;
	t->made = false;
	return 0;
}

void temp_drop(struct temp *t)
{
	if (t->made && unlinkat(t->dirfd, t->name, 0) < 0 && errno == EISDIR)
		unlinkat(t->dirfd, t->name, AT_REMOVEDIR);
	t->made = false;
}

int temp_write(int dirfd, const char *name, const char *text, mode_t mode)
{
	struct temp temp CLEANUP_TEMP = TEMP_INIT;
	CLEANUP_FD int fd = temp_make(&temp, dirfd, S_IFREG, NULL);
	int r = fd < 0 ? fd : fd_write_all(fd, text, strlen(text));

	if (r == 0 && fchmod(fd, mode) < 0)
		r = -errno;
	return r == 0 ? temp_rename(&temp, name, 0) : r;
}
