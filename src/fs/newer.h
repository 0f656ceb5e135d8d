/* SPDX-License-Identifier: MIT */
/* Whether something in a directory tree has changed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Whether something has changed since @than, by the times of change. Looks at the directory @dir,
 * at what is in it and below it to some depth, links not followed; *left entries at most, reduced
 * by what was looked at. For whoever may miss one. */
bool newer_below(int dir, const struct timespec *than, size_t *left);

/* For whoever may not: a hash of which objects are there under which names, each with the time of
 * its last change; with what is mounted there. -E2BIG where *left entries, reduced by what was
 * looked at, or the depth do not suffice, -ESTALE where something has changed at @before (may be
 * NULL) or later and so might be changing still, -errno where not all can be seen. */
int newer_print(int dir, const struct timespec *before, size_t *left, uint64_t *ret);
