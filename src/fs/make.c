/* SPDX-License-Identifier: MIT */
#include "fs/make.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "fs/beneath.h"

/* mkdir -p */
static int make_parents(int root, const char *path)
{
	CLEANUP_FD int there = beneath_open_nolink(root, path, O_PATH | O_DIRECTORY, 0);

	if (there != -ENOENT)
		return there < 0 ? there : 0;
	CLEANUP_STR char *up = path_parent(path);
	int r = make_parents(root, up);
	CLEANUP_FD int parent = r < 0 ? r : beneath_open_nolink(root, up, O_PATH | O_DIRECTORY, 0);
	if (parent < 0)
		return parent;
	return mkdirat(parent, path_base(path), 0755) < 0 && errno != EEXIST ? -errno : 0;
}

int make_missing(int root, const struct make *m)
{
	const char *name = path_base(m->path);
	CLEANUP_STR char *up = path_parent(m->path);
	int r = make_parents(root, up);
	CLEANUP_FD int parent = r < 0 ? r : beneath_open_nolink(root, up, O_PATH | O_DIRECTORY, 0);

	if (parent < 0)
		return parent;
	r = m->file ? mknodat(parent, name, S_IFREG | 0600, 0) : mkdirat(parent, name, 0700);
	if (r < 0)
		return errno == EEXIST ? 0 : -errno;
	/* By descriptor: the name may be exchanged by whoever may write in the parent. */
	CLEANUP_FD int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fchown(fd, m->uid, m->gid) < 0 || fchmod(fd, m->mode & 07777) < 0)
		return -errno;
	return 0;
}

void make_undo(const struct strv *paths)
{
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < paths->n; i++) {
		const char *path = paths->v[i];
		CLEANUP_STR char *up = path_parent(path);
		CLEANUP_FD int parent = path_within(path, "/run")
					    ? beneath_open_nolink(host, up, O_PATH | O_DIRECTORY, 0)
					    : -1;
		if (parent >= 0)
			unlinkat(parent, path_base(path), AT_REMOVEDIR);
	}
}
