/* SPDX-License-Identifier: MIT */
/* Which program a thread runs, without asking the kernel at each of its calls. */
#pragma once

#include <stdbool.h>

#include <sys/types.h>

#include "grow/record.h"

struct programs {
	struct {
		pid_t tid;
		unsigned program;
	} known[256]; /* of the threads that called last, by their number */
};

/* The number of @tid's program in @r. The number of a thread that has ended may come to be
 * another's, in a program of which nothing was executed since: after the kernel has gone through
 * all numbers. */
unsigned programs_of(struct programs *p, struct record *r, pid_t tid);

/* A thread is about to execute another program. Of its process no thread is left then, and the
 * first one's number is its own: nothing that is known is worth keeping. */
void programs_forget(struct programs *p);

/* Whether @tid has executed nothing yet: it is this program's own child, on its way to the service.
 */
bool programs_launching(pid_t tid);
