/* SPDX-License-Identifier: MIT */
/* The root directory of a mount namespace of this process's own. */
#pragma once

/* Nothing that is mounted or unmounted here reaches another namespace, and "/", the working
 * directory now, is the namespace's own root: where chroot(2) had moved "/", for us alone, what
 * lies there takes the place of all else. (It would stay reachable: setns(2) leads there, and
 * chroot(2) with an open directory.) Directories that were opened before lie in no mount namespace
 * then. -EPERM without CAP_SYS_ADMIN and CAP_SYS_CHROOT. */
int root_own(void);

/* @root, which is mounted over "/" or below, becomes "/", and all else is unmounted. root_own()
 * first: an unmount would reach the host, or leave something. */
int root_pivot(int root);
