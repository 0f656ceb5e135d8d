/* SPDX-License-Identifier: MIT */
#include "fs/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "base/path.h"

/* ".." in a scoped lookup fails with EAGAIN whenever anything on the host was renamed or mounted
 * meanwhile. One lookup takes microseconds, so that this many in vain means something is wrong. */
#define RETRIES 1000

static int open_how(int root, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {
	    .flags = (uint32_t)(flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NOCTTY)),
	    .mode = flags & (O_CREAT | __O_TMPFILE) ? mode & 07777 : 0,
	    .resolve = resolve | RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	path = path_relative(path);
	for (int i = 0; i < RETRIES; i++) {
		long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

int beneath_open(int root, const char *path, int flags, mode_t mode)
{
	return open_how(root, path, flags, mode, 0);
}

int beneath_open_nolink(int root, const char *path, int flags, mode_t mode)
{
	return open_how(root, path, flags, mode, RESOLVE_NO_SYMLINKS);
}

int beneath_parent(int root, const char *path, const char **ret_name)
{
	const char *name = path_base(path);
	char dir[PATH_MAX];
	size_t len = (size_t)(name - path);

	if (!beneath_is_name(name))
		return -EINVAL;
	if (len >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, path, len);
	dir[len] = '\0';

	int fd = beneath_open(root, dir, O_PATH | O_DIRECTORY, 0);
	if (fd >= 0)
		*ret_name = name;
	return fd;
}

int beneath_lstat(int root, const char *path, struct stat *ret)
{
	CLEANUP_FD int fd = beneath_open_nolink(root, path, O_PATH | O_NOFOLLOW, 0);

	if (fd < 0)
		return fd;
	return fstat(fd, ret) < 0 ? -errno : 0;
}

int beneath_readlink(int root, const char *path, char *buf, size_t size)
{
	CLEANUP_FD int fd = beneath_open(root, path, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;

	ssize_t n = readlinkat(fd, "", buf, size);
	if (n < 0)
		return errno == ENOENT ? -EINVAL : -errno; /* what it says of other types */
	if ((size_t)n >= size)
		return -ENAMETOOLONG;
	buf[n] = '\0';
	return 0;
}

/* 0 where @path is a directory. */
static int find_directory(int root, const char *path)
{
	CLEANUP_FD int fd = beneath_open(root, path, O_PATH | O_DIRECTORY, 0);
	return fd < 0 ? fd : 0;
}

/* Neither the umask nor a set-group-id parent decides about a directory of ours. */
static int own_directory(int fd, mode_t mode)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (geteuid() == 0 && (st.st_uid || st.st_gid) && fchown(fd, 0, 0) < 0)
		return -errno;
	if ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
		return -errno;
	return 0;
}

static int make_directory(int root, const char *path, mode_t mode)
{
	const char *name;

	if (!beneath_is_name(path_base(path)))
		return find_directory(root, path);
	CLEANUP_FD int parent = beneath_parent(root, path, &name);
	if (parent < 0)
		return parent;
	if (mkdirat(parent, name, mode) < 0)
		return errno == EEXIST ? find_directory(root, path) : -errno;
	CLEANUP_FD int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : own_directory(fd, mode);
}

int beneath_mkdirs(int root, const char *path, mode_t mode)
{
	char buf[PATH_MAX];
	int n = snprintf(buf, sizeof(buf), "/%s", path_relative(path));
	int r;

	if (n >= (int)sizeof(buf))
		return -ENAMETOOLONG;
	/* Back to the deepest directory that stands, by cutting the path at its slashes ... */
	while ((r = find_directory(root, buf)) == -ENOENT && buf[0])
		*strrchr(buf, '/') = '\0';
	if (r < 0)
		return r;
	/* ... and forth, putting them in again. */
	for (size_t len = strlen(buf); len < (size_t)n; len = strlen(buf)) {
		buf[len] = '/';
		r = make_directory(root, buf, mode & 07777);
		if (r < 0)
			return r;
	}
	return 0;
}
