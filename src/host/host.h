/* SPDX-License-Identifier: MIT */
/* The host's files as foresight reads them: below an O_PATH root, by canonical path.
 *
 * @root is the host's "/" in a build and a sample tree in tests. Links are resolved inside it, text
 * first, as a program that has it as its root would see them. Nothing is executed. All return 0 or
 * a positive outcome, else -errno. */
#pragma once

#include <stddef.h>
#include <sys/stat.h>

#include "base/str.h"

/* Resolves absolute @path through every link (40 at most, -ELOOP). *ret is the canonical path, the
 * caller's; @ret_st (may be NULL) its lstat; @links (may be NULL) gets the canonical path of each
 * link that was passed, in order. -ENOENT, -ENOTDIR where it leads nowhere; -ELOOP for links below
 * /proc, which lead elsewhere for each process. */
int host_resolve(int root, const char *path, char **ret, struct stat *ret_st, struct strv *links);

/* All of the regular file at canonical @path, at most @max bytes (else -EFBIG), NUL-terminated, the
 * caller's to free. -EINVAL for anything but a regular file. */
int host_read(int root, const char *path, size_t max, char **ret, size_t *ret_len);

/* The same for the file that absolute @path leads to through any links. */
int host_read_path(int root, const char *path, size_t max, char **ret, size_t *ret_len);

/* As host_read(), but at most the first @max bytes. */
int host_head(int root, const char *path, size_t max, char **ret, size_t *ret_len);

/* Adds the sorted names in the directory at canonical @path. */
int host_names(int root, const char *path, struct strv *ret);

/* Adds every path that absolute @pattern matches (glob(7): star, question mark, brackets; hidden
 * names only by a leading dot; no component "**"), at most @max (then it stops and returns 1).
 * Links on the way are followed; the paths are as matched, not canonical. */
int host_glob(int root, const char *pattern, size_t max, struct strv *ret);
