/* SPDX-License-Identifier: MIT */
/* What keep/errand.h begins, on both sides: its part of a start that this process does, and what
 * the child does. */
#pragma once

#include "base/err.h"
#include "jail/live.h"
#include "keep/errand.h"

/* Whether the init of a jail of @s has to stay for commands that come after the service. */
bool errands_stay(const struct spec *s);

/* ExecStartPost= of @l, which is ready. Where one fails the start has failed: the message says why.
 * Signals are served meanwhile: 0 with l->asked where it was asked to end. */
int errands_started(struct live *l, struct err *e);

/* Ends what @l runs, with @sig first and all that TimeoutStopSec= lets, then ExecStopPost=. The
 * init is left to run_end(). */
void errands_settle(struct live *l, int sig);

/* The child: the commands of @which in the jail @name. */
struct errand_order {
	enum errand_which which;
	double seconds;	    /* for all of them; 0: for ever */
	int users;	    /* the user namespace, or -1; taken over */
	const char *result; /* SERVICE_RESULT= */
	int ended;	    /* how the main process has ended, as of waitpid(2); -1: it has not */
};
int errands_run(const struct dirs *d, const char *name, const struct errand_order *o,
		struct err *e);
