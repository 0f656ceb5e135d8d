/* SPDX-License-Identifier: MIT */
/* RUN/NAME.SUFFIX: what a supervisor leaves in RUN for everybody else who asks, while it holds
 * RUN/NAME.lock (jail/running.h reads it).
 *
 *   json	which processes the jail has, written by whoever has started it
 *   counts	what changes while it runs: the keeper's */
#pragma once

#include <sys/types.h>

#include "base/clock.h"

struct note {
	int generation;
	pid_t init, main, supervisor;
	char started[CLOCK_TEXT_MAX]; /* RFC 3339 */
	const char *told; /* what is not as it should be, as a string of JSON; NULL: nothing */
};

/* In the directory RUN, open as @run. 0 or -errno. */
int note_write(int run, const char *name, const struct note *n);

/* Any such file: its text goes in the place of an old one, or it goes. */
int note_put(int run, const char *name, const char *suffix, const char *text);
void note_remove(int run, const char *name, const char *suffix);
