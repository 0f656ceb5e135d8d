/* SPDX-License-Identifier: MIT */
/* Serves the listener of a run's filter: looks at each trapped call, faults what it needs into the
 * tree, records it, and lets the call go on. It never answers anything but "continue", so
 * that it can neither hang nor break a service; see seccomp_unotify(2). Only when the run is void
 * (a copy that would fill the disk) is a call not answered, and the run ended.
 *
 * The supervisor is a thread of its own. While it runs, the record belongs to it. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "grow/record.h"

struct supervisor;

struct supervisor_config {
	int listener; /* taken over */
	int world;    /* O_PATH, the world's root; borrowed */
	int jail;     /* O_PATH, the jail's root as the service sees it, or -1: only look */
	const struct strv *own_mounts; /* mount points in the jail where nothing is faulted */
	struct record *record;	       /* filled; borrowed */
	const char *scratch;	       /* where the world's copies go, see grow/room.h; or NULL */
	int init; /* pidfd of the run's init, or -1: killed at once when the run is void; borrowed
		   */
};

int supervisor_start(const struct supervisor_config *c, struct supervisor **ret, struct err *e);

/* Serves @listener too, of a command that has come into the run (PHASE_ERRAND); takes it over.
 * @light: it may fail, and what it writes is no evidence. -ENOSPC after some of them: then the
 * command's calls are answered ENOSYS. */
int supervisor_add(struct supervisor *s, int listener, bool light);

/* What is going on now, for the evidence. Any thread. */
void supervisor_phase(struct supervisor *s, enum phase phase);

/* How many calls were trapped so far, those that receive something among them. Any thread. */
unsigned long supervisor_calls(const struct supervisor *s);

/* Stops serving (the run must have ended, or be about to: trapped calls would be answered ENOSYS)
 * and frees. Returns 0, or the first error of ours with its message, for instance a full disk: what
 * was grown is not to be used then. Accepts NULL. */
int supervisor_stop(struct supervisor *s, struct err *e);
