/* SPDX-License-Identifier: MIT */
/* What the kernel says of the calling process: signals and the bounding set, which it tells one by
 * one to whoever asks, and all at once in /proc/self/status, proc(5). A launch asks three times:
 * what to reset, and for two walls of the self-test. */
#pragma once

#include <stdint.h>

struct own_status {
	uint64_t blocked, ignored, caught; /* signal n is bit n - 1 */
	uint64_t bounding;		   /* capability n is bit n */
};

/* By /proc, or where there is none (a jail may lack it), by asking. 0 or -errno. */
int own_status(struct own_status *ret);

/* Its parts, for tests: -ENOENT where /proc is none or does not say all. */
int own_status_by_proc(struct own_status *ret);
int own_status_by_calls(struct own_status *ret);
