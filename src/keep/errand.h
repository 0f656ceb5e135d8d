/* SPDX-License-Identifier: MIT */
/* The commands of a spec around a run: ExecStartPost= when it is ready, ExecStop= before it is
 * asked to end, ExecStopPost= when it has ended, also where its start has failed.
 *
 * They run in the jail, as a reload's do (jail/tell.h). Its init stays for them when the service
 * has gone (confine/plan.h). What a keeper is lacks the means to read a spec, so immure itself is
 * executed for each of the three, `immure errand NAME WHICH ...`, as a child with a limited life:
 *
 *   supervisor, keeper --fork, exec--> immure errand --enter--> the jail: the commands, in order
 *
 * A child that takes too long is killed; what it has left in the jail ends with that. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "confine/run.h"
#include "keep/again.h"

enum errand_which { ERRAND_STARTED, ERRAND_STOP, ERRAND_STOPPED };

/* "started", "stop", "stopped"; NULL for others. The value of such a word, or -1. */
const char *errand_name(enum errand_which w);
int errand_find(const char *word);

struct errand {
	int program;	    /* immure */
	const char *name;   /* of the jail */
	int log;	    /* where the commands' output goes */
	int say;	    /* where is said what failed */
	int users;	    /* the jail's user namespace, or -1 */
	const char *result; /* of the service, as SERVICE_RESULT= has it: errand_result() */
	bool exited;	    /* its main process, as `status` says */
	int status;
};

/* One that is on its way. */
struct errand_run {
	pid_t pid;
	int fd; /* pidfd: readable when it is done */
};

/* For a child of ours that is to execute something on the host: it dies with us, and has no signal
 * blocked and no terminal. */
void errand_set_apart(void);

/* Begins; @seconds for all of its commands together, 0: for ever. It keeps to that by itself: who
 * waits for it gives it ERRAND_GRACE_MS more. 0 or -errno. */
#define ERRAND_GRACE_MS 500
int errand_begin(const struct errand *a, enum errand_which which, double seconds,
		 struct errand_run *ret);

/* Takes it back, by force where it is not done. 0, 1 where a command has failed, -ETIME. */
int errand_end(struct errand_run *r);

/* A limit of a spec, in seconds, as those here take it: 0 where it is for ever. */
double errand_limit(double seconds);

/* The time that each part of a stop may take, of the @limit (seconds; 0 is for ever) that all of it
 * has: ExecStop= eight tenths, the service until nine, ExecStopPost= the rest. What is not there
 * leaves its time to the others; what has been used up is counted by @spent. */
double errand_share(double limit, double spent, unsigned tenths);

/* "success", "exit-code", "signal", "core-dump" of how the main process of @r has ended; @a says
 * what is a success. */
const char *errand_result(const struct run *r, const struct again *a);
