/* SPDX-License-Identifier: MIT */
/* Whether a step of the exercise reached the service at all.
 *
 * What counts is any sign that the service took notice: a trapped call (it named a path, accepted
 * or received; grow/calls.h), bytes or calls of read(2) in proc_pid_io(5), a process that came or
 * went. A service whose own timers make such calls can thereby never be found unreached, nor can
 * one whose counters cannot be read: a false alarm would stop a good build, a missed one does no
 * harm that the exercise did not do itself. */
#pragma once

#include <stdbool.h>

#include "confine/run.h"

struct reach {
	unsigned long calls;
	struct reading {
		pid_t pid;
		unsigned long long bytes, calls;
	} * v;
	size_t n;
	bool blind; /* a counter could not be read */
};
void reach_done(struct reach *a);
#define CLEANUP_REACH CLEANUP(reach_done)

/* Before the step. @calls is supervisor_calls(). */
void reach_begin(struct reach *ret, const struct run *r, unsigned long calls);

/* After it: whether anything of the above has happened since. */
bool reach_seen(const struct reach *before, const struct run *r, unsigned long calls);
