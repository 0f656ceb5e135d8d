/* SPDX-License-Identifier: MIT */
/* Whether and when a service that has ended is started again: Restart=, RestartSec=, RestartSteps=,
 * RestartMaxDelaySec=, StartLimitBurst=, StartLimitIntervalSec=, as systemd.service(5) and
 * systemd.unit(5) have them. Pure. */
#pragma once

#include <stdbool.h>

#include "base/exits.h"

enum again_when {
	AGAIN_NO,
	AGAIN_ON_SUCCESS,
	AGAIN_ON_FAILURE,
	AGAIN_ON_ABNORMAL,
	AGAIN_ON_ABORT,
	AGAIN_ON_WATCHDOG,
	AGAIN_ALWAYS,
};

struct again {
	enum again_when when;
	struct exits success, never,
	    always;	   /* SuccessExitStatus=, Restart{Prevent,Force}ExitStatus= */
	long delay_ms;	   /* before each start */
	long max_delay_ms; /* reached after @steps starts in a row; 0: always delay_ms */
	unsigned steps;
	unsigned burst; /* so many starts within interval_ms, and it is given up; 0: never */
	long interval_ms;
};

#define AGAIN_STARTS_MAX 64

/* What has happened so far. */
struct again_history {
	unsigned restarts;	       /* since the administrator's start */
	unsigned in_row;	       /* of them without a quiet interval in between */
	long starts[AGAIN_STARTS_MAX]; /* milliseconds of the clock, a ring */
	unsigned n_starts;
};

/* How it ended. */
enum again_end { END_CLEAN, END_FAILED, END_SIGNAL, END_WATCHDOG };

/* Of a wait status: 0 and the signals HUP, INT, TERM and PIPE are clean. */
enum again_end again_end_of(int status);

/* A start at @now. */
void again_started(struct again_history *h, long now);

/* Milliseconds to wait before the next start, at @now; -1: it is not wanted; -2: it has been
 * started too often. */
long again_delay(const struct again *a, const struct again_history *h, enum again_end end,
		 long now);

/* again_end_of() with what @a counts as success. */
enum again_end again_end_by(const struct again *a, int status);

/* The same where it ended with wait status @status and nothing else is known against it. */
long again_delay_by(const struct again *a, const struct again_history *h, int status, long now);
