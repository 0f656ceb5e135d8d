/* SPDX-License-Identifier: MIT */
/* Runs one command of the client session inside a twin's world. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "confine/run.h"
#include "spec/spec.h"
#include "world/world.h"

struct place {
	const struct world *world;
	const struct run *run;
	const struct cgroup *cgroup; /* or NULL */
	const char *root; /* IMMURE_ROOT: "" natively, else a prefix of at most 24 bytes */
	const struct strv *environment; /* of the spec's [Exercise] */
	double timeout;			/* seconds */
};

struct outcome {
	int status; /* as the shell says it: 128 + n where signal n ended it */
	bool timed_out;
	int out; /* standard output, a file of the scratch directory; the caller's */
	int err; /* standard error, likewise */
	double seconds;
};

/* Executes `/bin/sh -c @command` in the world, with a fixed environment, in the service's pid,
 * network and ipc namespaces, its output in unnamed files of the directory @scratch. When it takes
 * too long it is killed with all that it started. -errno where it could not be run at all. */
int exercise_run(const struct place *p, const char *command, const char *scratch,
		 struct outcome *ret, struct err *e);
void outcome_done(struct outcome *o);
