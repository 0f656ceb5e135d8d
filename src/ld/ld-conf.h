/* SPDX-License-Identifier: MIT */
/* /etc/ld.so.conf: the directories of the loader's cache, with its includes (ldconfig(8)). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/str.h"

/* What one line asks for; an include of several patterns gives several. */
struct ld_conf_line {
	bool include;
	char *text; /* absolute directory without a last slash; or a glob pattern */
};

struct ld_conf {
	struct ld_conf_line *v; /* in the order of the file, which is that of the search */
	size_t n;
};
#define LD_CONF_INIT                                                                               \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_LD_CONF CLEANUP(ld_conf_done)
void ld_conf_done(struct ld_conf *c);

/* Adds the lines of @text: comments, "hwcap" lines and relative directories give none; an old
 * "=libc6" behind a directory is cut off. */
void ld_conf_parse(const char *text, size_t len, struct ld_conf *ret);

/* Adds all directories that @path (relative includes start from its directory) asks for, each once,
 * includes followed eight deep, at most 256 files. A file that is missing is empty. @files (may be
 * NULL) gets the files read. */
int ld_conf_read(int root, const char *path, struct strv *dirs, struct strv *files);
