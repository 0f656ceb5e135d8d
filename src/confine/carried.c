/* SPDX-License-Identifier: MIT */
#include "confine/carried.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

/* Where immure was copied to a directory that others may write, theirs is not executed. */
static bool is_roots(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static int open_beside(const char *program)
{
	char self[PATH_MAX];
	size_t room = sizeof(self) - strlen(program) - 1;
	ssize_t n = readlink("/proc/self/exe", self, room);

	if (n <= 0)
		return -ENOENT;
	self[n] = '\0';
	char *slash = strrchr(self, '/');
	strcpy(slash ? slash + 1 : self, program);
	CLEANUP_FD int fd = open(self, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && is_roots(fd) ? take_fd(&fd) : -ENOENT;
}

int carried_open(const char *program, const unsigned char *copy, unsigned size, struct err *e)
{
	char installed[PATH_MAX];
	int fd = open_beside(program);

	snprintf(installed, sizeof(installed), "%s/%s", LIBEXEC_DIR, program);
	if (fd < 0)
		fd = open(installed, O_RDONLY | O_CLOEXEC);
	/* For whoever has this program's file alone. Last, as it is memory of each jail's own. */
	if (fd < 0)
		fd = copy ? fd_memory(program, copy, size) : -ENOENT;
	return fd < 0 ? err_errno(e, fd, "finding %s", program) : fd;
}
