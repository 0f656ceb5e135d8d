/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "confine/launcher.h"

#define PROGRAM "immure-launch"

/* The program's bytes: made by the build, src/meson.build. */
extern const unsigned char launcher_program[];
extern const unsigned launcher_program_size;

static int open_beside(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - sizeof(PROGRAM));

	if (n <= 0)
		return -ENOENT;
	self[n] = '\0';
	char *slash = strrchr(self, '/');
	snprintf(slash ? slash + 1 : self, sizeof(PROGRAM), "%s", PROGRAM);
	int fd = open(self, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* For whoever has this program's file alone. It is last, as memory of each jail's own. */
static int open_own(void)
{
	CLEANUP_FD int fd = memfd_create(PROGRAM, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r = fd < 0 ? -errno : fd_write_all(fd, launcher_program, launcher_program_size);

	if (r == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		r = -errno;
	return r < 0 ? r : take_fd(&fd);
}

int launcher_open(struct err *e)
{
	int fd = open_beside();

	if (fd < 0)
		fd = open(LIBEXEC_DIR "/" PROGRAM, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fd = open_own();
	return fd < 0 ? err_errno(e, fd, "finding " PROGRAM) : fd;
}
