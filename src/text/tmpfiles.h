/* SPDX-License-Identifier: MIT */
/* tmpfiles.d(5): which directories a boot makes, and as whose. Pure text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tmpfiles_dir {
	mode_t mode;
	char *user, *group; /* names or numbers; NULL: root */
};
#define TMPFILES_DIR_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_TMPFILES_DIR CLEANUP(tmpfiles_dir_done)
void tmpfiles_dir_done(struct tmpfiles_dir *d);

/* Whether a line of @text makes the directory at absolute, normal @path (types d, D, v, q, Q); the
 * first of them is the answer. "/var/run" is "/run"; lines whose path has a specifier (%) say
 * nothing. Set-id bits of the mode are kept. */
bool tmpfiles_find(const char *text, size_t len, const char *path, struct tmpfiles_dir *ret);
