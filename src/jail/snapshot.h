/* SPDX-License-Identifier: MIT */
/* Snapshots of btrfs subvolumes, ioctl_btrfs(2): a directory that a live service writes to, as it
 * was at one moment.
 *
 * One snapshot of a subvolume serves all twins of a build: they must meet the same data. It is
 * read-only and lies in the file system's top directory (reached through a mount of our own, so
 * that it need not be mounted anywhere, and that no directory of a service gains an entry) in
 * ".immure-snapshot.BUILD", where root alone may enter. What builds left that were killed is
 * removed when the next snapshot is made on that file system. */
#pragma once

#include "base/err.h"

struct snapshot {
	int top;    /* a detached mount (fsmount(2)) of the whole file system */
	char *path; /* of what @dir was, below it, relative */
};
#define SNAPSHOT_INIT                                                                              \
	{                                                                                          \
		.top = -1                                                                          \
	}
#define CLEANUP_SNAPSHOT CLEANUP(snapshot_done)
void snapshot_done(struct snapshot *s);

/* The snapshot of the subvolume that holds the directory @dir for the build whose scratch directory
 * is @build (jail/scratch.h); made where the build has none yet. -EOPNOTSUPP where @dir does not
 * lie on btrfs. */
int snapshot_take(const char *dir, const char *build, struct snapshot *ret, struct err *e);

/* Removes what snapshot_take() made for @build on the file system of @dir, if it made anything. */
void snapshot_remove(const char *dir, const char *build);
