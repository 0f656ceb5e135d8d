/* SPDX-License-Identifier: MIT */
#include "fs/atomic.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "fs/beneath.h"
#include "fs/temp.h"

static int sync_directory(int dirfd)
{
	CLEANUP_FD int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

int atomic_write(int dirfd, const char *name, const void *data, size_t len, mode_t mode)
{
	CLEANUP_TEMP struct temp temp = TEMP_INIT;

	if (!beneath_is_name(name))
		return -EINVAL;
	CLEANUP_FD int fd = temp_make(&temp, dirfd, S_IFREG, NULL);
	if (fd < 0)
		return fd;
	int r = fd_write_all(fd, data, len);
	if (r < 0)
		return r;
	if (fchmod(fd, mode & 07777) < 0 || fsync(fd) < 0)
		return -errno;
	r = temp_rename(&temp, name, 0);
	return r < 0 ? r : sync_directory(dirfd);
}

int atomic_read(int dirfd, const char *name, size_t max, char **ret_data, size_t *ret_len)
{
	struct stat st;

	if (!beneath_is_name(name))
		return -EINVAL;
	CLEANUP_FD int fd =
	    openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return fd_read_all(fd, max, ret_data, ret_len);
}
