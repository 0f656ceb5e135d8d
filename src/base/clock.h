/* SPDX-License-Identifier: MIT */
/* Time: a steady clock for waits and durations, and the wall clock as text. */
#pragma once

#include <stdbool.h>
#include <time.h>

#define CLOCK_TEXT_MAX 40

/* Seconds of a clock that only goes forward. */
double clock_now(void);

/* The same in whole milliseconds. */
long clock_ms(void);

/* The wall clock as RFC 3339 in UTC, "2026-11-23T20:12:53Z", in @buf. Returns @buf. */
char *clock_text(char buf[CLOCK_TEXT_MAX]);

/* Whether @a is earlier than @b. */
static inline bool clock_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}
