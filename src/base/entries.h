/* SPDX-License-Identifier: MIT */
/* The names in a directory, without memory of its own: for a process that has just been forked.
 * There each page that is written is copied first, and opendir(3) writes four. */
#pragma once

#include <stddef.h>

struct entries {
	int fd; /* of the directory, open for reading; the caller's */
	size_t at, n;
	_Alignas(8) char buf[1088]; /* the longest name of any file system: 1024 */
};

/* The next name but "." and "..", which lasts until the next call: 1, 0 at the end, -errno. */
int entries_next(struct entries *e, const char **ret);
