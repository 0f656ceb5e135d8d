/* SPDX-License-Identifier: MIT */
/* Halts all processes of a control group, and lets them go on.
 *
 * SIGSTOP to each of them is not the same: who waits for a child is told of it, a shell in the
 * jail takes its job back, and one that is just being made escapes. A frozen process notices
 * nothing but the time. In version 2 it can be killed; in version 1 it dies when it is let go. */
#pragma once

#include <stdbool.h>

#include "confine/cgroup.h"

/* Whether this group can be frozen at all: by version 2, or by the freezer of version 1. */
bool freezer_has(const struct cgroup *c);

bool freezer_frozen(const struct cgroup *c);

/* Freezes, or thaws, and waits for it. -EOPNOTSUPP where it cannot be; -ETIME where the kernel does
 * not get all of them to stop (one waits for a disk or a server of files): then none is frozen. */
int freezer_set(const struct cgroup *c, bool frozen);
