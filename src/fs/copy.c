/* SPDX-License-Identifier: MIT */
#include "fs/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "base/fd.h"
#include "fs/beneath.h"
#include "fs/data.h"
#include "fs/temp.h"

/* Opens an O_PATH descriptor's regular file for reading. O_NONBLOCK: nothing the source turns out
 * to be may stall us. O_NOATIME is the owner's and root's alone. */
static int reopen(int src)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", src);
	int fd = open(path, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = open(path, flags);
	return fd < 0 ? -errno : fd;
}

static int copy_regular(int src, const struct meta *m, int dirfd, const char *name)
{
	CLEANUP_TEMP struct temp temp = TEMP_INIT;
	CLEANUP_FD int in = reopen(src);
	if (in < 0)
		return in;
	CLEANUP_FD int out = temp_make(&temp, dirfd, S_IFREG, NULL);
	if (out < 0)
		return out;

	int r = data_copy(in, out, &m->st);
	if (r == 0)
		r = meta_apply_fd(out, m);
	return r < 0 ? r : temp_rename(&temp, name, 0);
}

/* What has no bytes: made, dressed, and put in its place unless something is there. */
static int make_other(const struct meta *m, const char *target, int dirfd, const char *name)
{
	CLEANUP_TEMP struct temp temp = TEMP_INIT;
	CLEANUP_FD int fd = temp_make(&temp, dirfd, m->st.st_mode & S_IFMT, target);
	if (fd < 0)
		return fd;

	int r = meta_apply_fd(fd, m);
	return r < 0 ? r : temp_rename(&temp, name, RENAME_NOREPLACE);
}

/* 1 where @name is there, of the type that a copy of @m would have where that matters. */
static int is_there(const struct meta *m, int dirfd, const char *name)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return S_ISDIR(m->st.st_mode) && !S_ISDIR(st.st_mode) ? -ENOTDIR : 1;
}

static int copy_other(int src, const struct meta *m, int dirfd, const char *name)
{
	char target[PATH_MAX] = "";
	int r = is_there(m, dirfd, name);

	if (r)
		return r;
	if (S_ISLNK(m->st.st_mode)) {
		ssize_t n = readlinkat(src, "", target, sizeof(target));
		if (n < 0 || (size_t)n >= sizeof(target))
			return n < 0 ? -errno : -ENAMETOOLONG;
		target[n] = '\0';
	}
	r = make_other(m, target, dirfd, name);
	if (r != -EEXIST) /* nobody was faster */
		return r;
	r = is_there(m, dirfd, name);
	return r ? r : -EAGAIN;
}

int copy_node(int src, const struct meta *m, int dst_dirfd, const char *name)
{
	if (!beneath_is_name(name))
		return -EINVAL;
	return (S_ISREG(m->st.st_mode) ? copy_regular : copy_other)(src, m, dst_dirfd, name);
}

int copy_placeholder(const struct meta *m, int dst_dirfd, const char *name)
{
	CLEANUP_TEMP struct temp temp = TEMP_INIT;

	if (!beneath_is_name(name) || !S_ISREG(m->st.st_mode))
		return -EINVAL;
	CLEANUP_FD int fd = temp_make(&temp, dst_dirfd, S_IFREG, NULL);
	if (fd < 0)
		return fd;
	if (ftruncate(fd, m->st.st_size) < 0)
		return -errno;
	int r = meta_apply_fd(fd, m);
	return r < 0 ? r : temp_rename(&temp, name, RENAME_NOREPLACE);
}
