/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "confine/launcher.h"

#define PROGRAM "immure-launch"

/* The program's bytes: made by the build, src/meson.build. */
extern const unsigned char launcher_program[];
extern const unsigned launcher_program_size;

/* Where immure was copied to a directory that others may write, theirs is not executed. */
static bool is_roots(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static int open_beside(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - sizeof(PROGRAM));

	if (n <= 0)
		return -ENOENT;
	self[n] = '\0';
	char *slash = strrchr(self, '/');
	snprintf(slash ? slash + 1 : self, sizeof(PROGRAM), "%s", PROGRAM);
	CLEANUP_FD int fd = open(self, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && is_roots(fd) ? take_fd(&fd) : -ENOENT;
}

int launcher_open(struct err *e)
{
	int fd = open_beside();

	if (fd < 0)
		fd = open(LIBEXEC_DIR "/" PROGRAM, O_RDONLY | O_CLOEXEC);
	/* For whoever has this program's file alone. Last, as it is memory of each jail's own. */
	if (fd < 0)
		fd = fd_memory(PROGRAM, launcher_program, launcher_program_size);
	return fd < 0 ? err_errno(e, fd, "finding " PROGRAM) : fd;
}
