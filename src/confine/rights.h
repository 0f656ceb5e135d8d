/* SPDX-License-Identifier: MIT */
/* The rights a service may have at all, capabilities(7): those that namespaces hold back.
 *
 * A list of what is kept, not of what is taken: a new kernel's new right is not kept by accident.
 * What is missing reaches the host from inside any namespace: its clock, kernel, devices, other
 * processes (SYS_PTRACE), its files by handle (DAC_READ_SEARCH) and its mounts (SYS_ADMIN, with
 * which a control group's release_agent runs programs on the host). */
#pragma once

#include <stdint.h>

/* "CAP_CHOWN" of CAP_CHOWN; NULL for numbers without a name. And back: -1 where there is none. */
const char *rights_name(int cap);
int rights_find(const char *name);

/* The list, as 1 << CAP_*. */
uint64_t rights_most(void);

/* Leaves the session keyring of whoever started this process. */
int rights_leave_keyring(void);

/* In two steps, where the process must still become the service's user: first nothing beyond @keep
 * can ever be had again (bounding set), and what is at hand is @keep and what the change of user
 * takes; then exactly @keep, the ambient set being @ambient. rights_hold_on() before the change of
 * user, for the ambient ones to survive it. */
int rights_bound(uint64_t keep);
int rights_hold_on(uint64_t ambient);
int rights_settle(uint64_t keep, uint64_t ambient);

/* No program of user @uid but root is given rights for being executed by "root", and no process may
 * raise its ambient ones: securebits, locked. Takes CAP_SETPCAP, so between the two. */
int rights_lock_root(uint64_t ambient);

/* All of it, down to @keep and the list: for the init, and for the exercise. */
int rights_reduce(uint64_t keep);
