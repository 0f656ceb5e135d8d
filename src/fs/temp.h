/* SPDX-License-Identifier: MIT */
/* Something new made under a temporary name beside its place, to be renamed into it when complete.
 *
 * Names are ".immure-PID-NUMBER": the prefix is reserved, the number starts at random in each
 * process and what stands under a name already is never taken (O_EXCL). A crash leaves such a name,
 * nothing else. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/attr.h"

#define TEMP_PREFIX ".immure-"

struct temp {
	int dirfd; /* borrowed */
	char name[40];
	bool made;
};
#define TEMP_INIT                                                                                  \
	{                                                                                          \
		.dirfd = -1                                                                        \
	}
#define CLEANUP_TEMP CLEANUP(temp_drop)

/* Makes an empty thing of @type (S_IFREG, S_IFDIR, S_IFLNK with @target, S_IFIFO or S_IFSOCK), open
 * to nobody else, in directory @dirfd, which must live as long as @t. Returns a descriptor, the
 * caller's: readable and writable for a regular file, else O_PATH; or -errno, -EPERM for devices.
 */
int temp_make(struct temp *t, int dirfd, mode_t type, const char *target);

/* Renames it to @name in its directory; @flags as in renameat2(2). Returns 0 or -errno. */
int temp_rename(struct temp *t, const char *name, unsigned flags);

/* A file @name in directory @dirfd with this @text, made aside and put in the place of an old one,
 * so that whoever reads sees all of it. As atomic_write(), but no disk is waited for: for what
 * means nothing after the host has gone down. 0 or -errno. */
int temp_write(int dirfd, const char *name, const char *text, mode_t mode);

/* Removes what was made and not renamed. */
void temp_drop(struct temp *t);
