/* SPDX-License-Identifier: MIT */
/* Changes the mounts of a running jail from outside: what is mounted is made here, detached, and
 * put there by a child that enters the jail's mount namespace. No link is followed on either side,
 * whatever the service does to directories on the way. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "confine/run.h"

struct remount {
	enum { REMOUNT_REPLACE, REMOUNT_COVER, REMOUNT_UNCOVER } kind;
	const char *path; /* in the jail */
	int mnt;	  /* detached, or -1 */
};

/* Carries out @v, in order. 0, else something was not done. */
int remount(const struct remount *v, size_t n, const struct run *r);

/* A detached mount of the file, or the directory (@dir), @path of the host, nosuid and nodev;
 * mapped by the user namespace @users where that is not -1. -1 where it is not that, or cannot be
 * mounted. */
int remount_clone(const char *path, bool writable, bool dir, int users);
