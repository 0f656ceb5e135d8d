/* SPDX-License-Identifier: MIT */
/* Makes one path of a source in a target tree, whatever its type, with its metadata.
 *
 * Everything is made under a temporary name (fs/temp.h) in the target directory, given its bytes
 * and metadata, and only then renamed: a process that looks there sees all of it or nothing, and a
 * full disk leaves nothing behind. The target directory's own times change with it: apply them
 * again with meta_apply_times() when all is in. Sources are read without changing their access
 * times where we may. @name is one component (else -EINVAL). */
#pragma once

#include <stdbool.h>

#include "fs/meta.h"

/* Makes @name below @dst_dirfd a copy of the open source @src (opened O_PATH|O_NOFOLLOW), whose
 * metadata is @m:
 *   regular file   all bytes (FICLONE, else copy_file_range over the data extents: holes stay
 *                  holes), so that nobody sees half a file; an existing file there is replaced.
 *                  Pseudo files of procfs and sysfs are read until they end (-EFBIG: they do not)
 *   directory      itself, not what is in it; an existing one is left as it is (-ENOTDIR where
 *                  something else has the name)
 *   symbolic link  with its owner and times; an existing path is left
 *   fifo, socket   made by mknod, an existing path is left; device: -EPERM, they are not this
 *                  function's business
 * Returns 0, or 1 where the path was there already and was left, or -errno; -ESTALE where the
 * source changed its size while it was being copied. */
int copy_node(int src, const struct meta *m, int dst_dirfd, const char *name);

/* An empty sparse regular file with @m's metadata except its bytes; for listings. -EEXIST where
 * something is there, -EINVAL where @m is not a regular file's. */
int copy_placeholder(const struct meta *m, int dst_dirfd, const char *name);
