/* SPDX-License-Identifier: MIT */
/* Whether something in a directory tree has changed since a moment: by the times of change, which
 * nobody can set back. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* Looks at the directory @dir, at what is in it and below it to some depth, links not followed;
 * *left entries at most, reduced by what was looked at: 0 says that not all was. */
bool newer_below(int dir, const struct timespec *than, size_t *left);
