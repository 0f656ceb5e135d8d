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

/* What a print is made of. */
struct newer_look {
	const struct timespec
	    *before; /* what has changed then or later is changing still; or NULL */
	const struct newer_object {
		uint64_t dev, ino;
	} * skip; /* directories in which others write: what is in them counts for nothing */
	size_t n_skip;
	size_t left; /* entries that may be looked at, reduced by those that were */
};

/* For whoever may not miss any: a hash of which objects are there under which names, each with the
 * time of its last change, and of what is mounted there. -E2BIG where look->left or the depth does
 * not suffice, -ESTALE where something is changing still, -errno where not all can be seen. */
int newer_print(int dir, struct newer_look *look, uint64_t *ret);
