/* SPDX-License-Identifier: MIT */
/* A directory to test in, and what the tests of src/fs need again and again. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "fs/beneath.h"

struct scratch {
	char path[64];
	int fd;
	int parent;
};

static inline struct scratch scratch_new(void)
{
	struct scratch s = {.path = "/tmp/immure-unit-XXXXXX"};

	umask(027); /* whatever it is must not matter */
	if (!mkdtemp(s.path))
		abort();
	s.parent = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s.fd = open(s.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s;
}

static inline void scratch_done(struct scratch *s)
{
	close(s->fd);
	CHECK_INT(tree_remove(s->parent, strrchr(s->path, '/') + 1), 0);
	close(s->parent);
}

/* Says why, and whether to skip. */
static inline bool skip_unless(bool can, const char *what)
{
	if (!can)
		printf("# skip %s\n", what);
	return !can;
}

/* A mount namespace of our own, once; mounts in it go with the process. */
static inline bool scratch_private(void)
{
	static int done;

	if (!done)
		done = unshare(CLONE_NEWNS) == 0 &&
			       mount("none", "/", "", MS_REC | MS_PRIVATE, NULL) == 0
			   ? 1
			   : -1;
	return done > 0;
}

/* A file system of @type on the new directory @name; a descriptor or -1. */
static inline int scratch_mount(const struct scratch *s, const char *name, const char *type,
				const char *options)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", s->path, name);
	if (!scratch_private() || mkdir(path, 0755) < 0 ||
	    mount("scratch", path, type, 0, options) < 0)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static inline void scratch_unmount(const struct scratch *s, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", s->path, name);
	umount2(path, MNT_DETACH);
}

static inline void put_file(int dirfd, const char *name, const char *text)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static inline bool exists(int dirfd, const char *name)
{
	struct stat st;
	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}
