/* SPDX-License-Identifier: MIT */
/* A user namespace for a jail (PrivateUsers=): inside there are root and all users; for the host
 * each is USERS_SIZE numbers further up, and root is nobody in particular. The file systems are
 * mapped the same way where they are mounted, so owners on disk stay what they are:
 * user_namespaces(7), mount_setattr(2).
 *
 * The other namespaces stay the host's own: what is privileged towards them (low ports, mounts,
 * host names) is not to be had inside, whatever capabilities a process there has. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define USERS_SIZE 65536u

/* The first number for the jail @name: as systemd-nspawn has them, 524288 to 1879048191, by a hash.
 */
uid_t users_base(const char *name);

/* A namespace whose number 0 is @base outside, and so on, USERS_SIZE of them; @base 0 maps each to
 * itself. Its descriptor, or -errno with what PrivateUsers= lacks here. */
int users_make(uid_t base, struct err *e);

/* The calling process becomes root in there: it has every capability there and none here. */
int users_enter(int ns);
