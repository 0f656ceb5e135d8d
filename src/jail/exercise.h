/* SPDX-License-Identifier: MIT */
/* Runs one step of the client session inside a twin's world. */
#pragma once

#include <stdbool.h>
#include <time.h>

#include "base/err.h"
#include "confine/run.h"
#include "spec/spec.h"
#include "world/world.h"

struct supervisor;

struct place {
	const struct world *world;
	struct run *run;
	const struct supervisor *supervisor; /* or NULL */
	const struct strv *listeners;	     /* what it listens on at rest */
	time_t since;			     /* when it was started, by the wall clock */
	const struct cgroup *cgroup;	     /* or NULL */
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

/* Empty, with its two files made in @scratch. */
int outcome_open(const char *scratch, struct outcome *ret, struct err *e);

/* As exercise_run(), with a function of ours instead of the shell: @act writes to descriptors 1 and
 * 2 and returns the exit status. No process of the service can look into it. */
int exercise_act(const struct place *p, int (*act)(const void *arg), const void *arg,
		 const char *scratch, struct outcome *ret, struct err *e);
