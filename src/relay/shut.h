/* SPDX-License-Identifier: MIT */
/* The relay confines itself: its first act, before it reads a byte of anybody's. */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* In this order, each step while the right to it is still there:
 *
 * 1. the host's time zone is read, which no later step could;
 * 2. network, ipc, uts and mount namespaces of its own; an empty read-only memory is its root. Not
 * a pid namespace: SCM_CREDENTIALS tells pids as the receiver sees them, and they are to be those
 *    that the host's administrator sees;
 * 3. no core dumps, no further process, so many descriptors;
 * 4. user and groups @uid, no capabilities, no_new_privs, not dumpable;
 * 5. a filter that lets through what the loop needs: nothing that opens, connects, executes, makes
 *    a process or sends a signal. All else is EPERM.
 *
 * 0, or a message why not: then the relay does not run. */
int shut_in(uid_t uid, struct err *e);
