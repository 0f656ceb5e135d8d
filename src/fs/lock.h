/* SPDX-License-Identifier: MIT */
/* Named locks: a file that one process at a time holds by flock(2).
 *
 * The lock ends with the last descriptor of it, so with its holder, however that dies; the file
 * stays, it holds the holder's pid for people and for the message. Descriptors are O_CLOEXEC, but a
 * child forked meanwhile shares the lock until it closes or executes. A lock file that is removed
 * or replaced while one waits for it is noticed: what is returned is locked and is the file that
 * has the name. */
#pragma once

#include "base/err.h"

/* Locks @name (one component, else -EINVAL) in directory @dirfd, made where missing with mode 0600.
 * Returns a descriptor, the caller's: closing it unlocks. -EBUSY at once where another holds it;
 * the message says "NAME is held by pid N" (of the holder's pid namespace, where it is known).
 * -ESTALE where somebody kept on replacing it. */
int lock_try(int dirfd, const char *name, struct err *e);

/* The same, but waits for the holder to end; -EINTR where a signal handler ran meanwhile. */
int lock_wait(int dirfd, const char *name, struct err *e);
