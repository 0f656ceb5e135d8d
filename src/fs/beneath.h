/* SPDX-License-Identifier: MIT */
/* File operations that cannot leave a tree.
 *
 * Every operation takes a root descriptor and a path below it. The path is resolved by openat2(2)
 * (Linux 5.6) with RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS: a planted link, "..", or a rename in
 * mid-walk cannot lead outside, whoever owns the tree. Where @path's links must not be followed at
 * all, RESOLVE_NO_SYMLINKS is used (the functions ending in _nolink). Leading slashes of @path are
 * allowed and mean the root. All return a descriptor or 0, else -errno; descriptors are O_CLOEXEC,
 * and opening one never makes a terminal the controlling one. Interrupted calls and those disturbed
 * by a rename elsewhere (EAGAIN) are repeated here. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Whether @name is one component: not "", "." or "..", and without a slash. */
static inline bool beneath_is_name(const char *name)
{
	bool dots = name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
	return *name && !dots && !strchr(name, '/');
}

int beneath_open(int root, const char *path, int flags, mode_t mode);
int beneath_open_nolink(int root, const char *path, int flags, mode_t mode);

/* The parent directory of @path (links on the way followed, inside @root), as O_PATH; *ret_name
 * points at the last component inside @path. -EINVAL for the root itself, a last "." or "..", and a
 * trailing slash (which would follow a link of that name). */
int beneath_parent(int root, const char *path, const char **ret_name);

/* lstat(2) of @path; no link on the way is followed, nor the last. */
int beneath_lstat(int root, const char *path, struct stat *ret);

/* mkdir -p: missing directories get @mode (whatever the umask) and, where we are root, root:root;
 * existing ones are left alone. Links on the way are followed inside @root; -ENOENT for one that
 * leads nowhere. */
int beneath_mkdirs(int root, const char *path, mode_t mode);

/* The target of the link at @path into @buf, NUL-terminated (links on the way followed, inside
 * @root); -ENAMETOOLONG where it does not fit, -EINVAL where @path is no link. */
int beneath_readlink(int root, const char *path, char *buf, size_t size);

/* Removes @name below directory @dirfd (O_PATH will do) with all it holds, however deep, without
 * following links and without crossing into another mount. Gone already is good. Bounded in
 * descriptors, and a directory that is moved away meanwhile leads nowhere else.
 *
 * What cannot be removed is left and the rest removed all the same; the first reason is returned
 * and each one told by log_debug(): -EPERM for an immutable name, -EXDEV for a mount, -ENOTEMPTY or
 * -ESTALE where somebody kept on filling or moving directories. -EINVAL where @name is no name. */
int tree_remove(int dirfd, const char *name);
