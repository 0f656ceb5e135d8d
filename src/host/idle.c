/* SPDX-License-Identifier: MIT */
#include "host/idle.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "fs/dir.h"
#include "fs/lease.h"

#define DEPTH_MAX 16

bool idle_program(const char *program)
{
	CLEANUP_FD int fd = open(program, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd >= 0 && lease_try(fd, F_WRLCK) == 0;
}

static bool dir_is_idle(int dir, int depth, size_t *left);

static bool entry_is_idle(int dir, const char *name, int depth, size_t *left)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return true;
	CLEANUP_FD int fd =
	    openat(dir, name, flags | (S_ISREG(st.st_mode) ? O_NOATIME : O_DIRECTORY));
	if (S_ISREG(st.st_mode))
		return fd >= 0 && lease_try(fd, F_RDLCK) == 0;
	return fd >= 0 && depth && dir_is_idle(fd, depth - 1, left);
}

static bool dir_is_idle(int dir, int depth, size_t *left)
{
	struct strv names CLEANUP_STRV = STRV_INIT;

	if (dir_names(dir, &names) < 0 || names.n > *left)
		return false;
	*left -= names.n;
	for (size_t i = 0; i < names.n; i++)
		if (!entry_is_idle(dir, names.v[i], depth, left))
			return false;
	return true;
}

bool idle_trees(const struct strv *dirs)
{
	size_t left = IDLE_FILES_MAX;

	for (size_t i = 0; i < dirs->n; i++)
		if (!entry_is_idle(AT_FDCWD, dirs->v[i], DEPTH_MAX, &left))
			return false;
	return true;
}
