/* SPDX-License-Identifier: MIT */
/* Builds a plan's root and makes it "/". */
#pragma once

#include "base/err.h"
#include "confine/plan.h"

/* To be called in a mount namespace of the caller's own, with private propagation. On return the
 * root is @p->root with everything mounted, the old root is unreachable, and the cwd is "/". */
int rootfs_enter(const struct plan *p, struct err *e);

/* Mounts the pid namespace's /proc at the directory @at. The kernel's settings in it are read-only:
 * they are the host's, or belong to namespaces that the service does not own. For a jail with
 * @walls (or NULL) nobody but group @master sees processes of other users, and there may be nothing
 * else. */
struct walls;
int rootfs_proc(int at, const struct walls *walls, gid_t master);

/* A detached tmpfs, its directory root's, of the size, in bytes and files, that the caller's root
 * has at @like; of the kernel's default size where that is no tmpfs. */
int rootfs_tmpfs(const char *like, mode_t mode, unsigned attr);

/* A detached mount of @fstype with the given NULL-terminated option pairs; its descriptor. */
int rootfs_fs(const char *fstype, const char *const *options, unsigned attr);
