/* SPDX-License-Identifier: MIT */
#include "fs/size.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "fs/beneath.h"

/* Each level holds a descriptor open. */
#define DEPTH_MAX 40

static bool walk(int fd, dev_t dev, int depth, size_t *room, long long *bytes);

static bool look_at(int parent, const char *name, dev_t dev, int depth, size_t *room,
		    long long *bytes)
{
	struct stat st;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0 ||
	    st.st_dev != dev)
		return true;
	*bytes +=
	    (long long)st.st_blocks * 512 / (S_ISDIR(st.st_mode) ? 1 : (long long)st.st_nlink);
	if (!S_ISDIR(st.st_mode))
		return true;
	CLEANUP_FD int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 || walk(fd, dev, depth + 1, room, bytes);
}

static bool walk(int fd, dev_t dev, int depth, size_t *room, long long *bytes)
{
	int copy = depth < DEPTH_MAX ? openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *de;
	bool whole = d != NULL;

	if (!d)
		fd_close(&copy);
	while (whole && (de = readdir(d))) {
		if (!beneath_is_name(de->d_name))
			continue;
		if (!*room)
			whole = false;
		else {
			--*room;
			whole = look_at(fd, de->d_name, dev, depth, room, bytes);
		}
	}
	if (d)
		closedir(d);
	return whole;
}

bool size_of_tree(int dirfd, size_t *room, long long *bytes)
{
	struct stat st;

	if (fstat(dirfd, &st) < 0)
		return false;
	*bytes += (long long)st.st_blocks * 512;
	return walk(dirfd, st.st_dev, 0, room, bytes);
}
