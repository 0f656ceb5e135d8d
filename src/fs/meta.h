/* SPDX-License-Identifier: MIT */
/* A file's metadata, complete: owner, mode, times to the nanosecond, extended attributes (and with
 * them ACLs, file capabilities and security labels).
 *
 * Descriptors opened O_PATH are reached through /proc/self/fd, which has to be there for them;
 * symbolic links too: the magic link leads to the link itself, not to where it points. Any other
 * descriptor needs no /proc. See xattr(7), proc(5), open(2) under O_PATH. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "base/attr.h"

/* Bytes of attributes one file may have; a source that has more is refused with -E2BIG. */
#define META_XATTR_MAX (1u << 20)

/* One extended attribute; value is binary. */
struct meta_xattr {
	char *name;
	void *value;
	size_t size;
};

struct meta {
	struct stat st; /* owner, mode, times, size, rdev, dev and ino of the source */
	struct meta_xattr *xattrs;
	size_t n_xattrs;
};
#define META_INIT                                                                                  \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_META CLEANUP(meta_done)

/* Reads the metadata of the open (also O_PATH) descriptor @fd. Attributes of an overlay's and of
 * the integrity subsystem's own (*.overlay.*, security.ima, security.evm) are left out: they speak
 * of the one inode they sit on. Returns 0 or -errno; on failure @ret is empty. */
int meta_read(int fd, struct meta *ret);
void meta_done(struct meta *m);

/* Gives @name below @dirfd (not followed) the metadata, in the only order that works: owner, mode
 * (chown clears set-id bits), xattrs (chown drops capabilities), times last. An ACL the source
 * lacks goes (a parent's default ACL put it there). Attributes that cannot be set are an error only
 * for security.capability and ACLs (-ENOTSUP where the file system cannot hold them, -EPERM where
 * we may not); others are skipped. -ESTALE where @name is of another type than the source. */
int meta_apply(int dirfd, const char *name, const struct meta *m);

/* The same for an open (also O_PATH) descriptor. */
int meta_apply_fd(int fd, const struct meta *m);

/* Only the times, for directories when all is in them. */
int meta_apply_times(int dirfd, const char *name, const struct meta *m);
