/* SPDX-License-Identifier: MIT */
/* When a service is ready, without being told.
 *
 * A network service is ready when it listens and has come to rest. What it listens on is read from
 * the kernel (the sockets its processes hold), never guessed from its name; rest is that for a
 * moment its processes did next to nothing (timers tick in many services), none came, none went.
 * The sockets seen in the baseline are what later runs, and `start`, wait for. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "confine/run.h"
#include "grow/record.h"

/* The listening sockets of all processes of @r as sorted words: "tcp:127.0.0.1:8080",
 * "udp:0.0.0.0:53", "unix:/run/x.sock". */
void ready_listeners(const struct run *r, struct strv *ret);

/* Leaves out ports of the ephemeral range that differ each time: those that were not bound by
 * number in the same run, of which there is a @record. */
void ready_drop_changing(struct strv *listeners, const struct record *record);

/* One look at a service that is starting. Zero-initialise; call every READY_TICK_MS. */
struct rest {
	unsigned long cpu, calls; /* when the present quiet moment began */
	size_t processes;
	struct strv listeners;
	int quiet_ms, age_ms;
	bool again; /* set by the caller: it was at rest before, on what is expected */
};
#define READY_TICK_MS 25
void rest_done(struct rest *s);

/* Whether it is ready now. @expected (may be NULL) are the listeners of an earlier run; @calls a
 * counter that grows while it works (supervisor_calls()), or 0. */
bool rest_look(struct rest *s, const struct run *r, const struct strv *expected,
	       unsigned long calls);
