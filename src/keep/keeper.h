/* SPDX-License-Identifier: MIT */
/* What stays beside a running jail: one small static process (immure-launch --keep), which the
 * supervisor executes in its own place once the service is where it should be. Same number, same
 * children, same lock; none of its memory and libraries.
 *
 *   immure run/start --live_start()--> service ready --live_hand_over()--> keeper
 *        ^			                                            |
 *        `---------- immure resume NAME IMAGE, when it is to start again --'
 *
 * It passes signals on, follows rotated files and pid files, refuses and counts what the filter
 * does not let through, passes on what the service tells its manager, and sees to the end: nothing
 * of the jail stays. What is told of it stands in RUN/NAME.counts, a line a fact. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "confine/cgroup.h"
#include "confine/refusals.h"
#include "confine/run.h"
#include "keep/again.h"
#include "keep/logging.h"
#include "keep/notices.h"
#include "keep/publish.h"
#include "keep/rotate.h"

struct keeper {
	const char *name;    /* of the jail */
	const char *run_dir; /* RUN */
	bool background;     /* ours, not an init system's: it is started again as `again` says */

	/* Descriptors, inherited by number; -1: none. */
	int lock;     /* RUN/NAME.lock */
	int program;  /* immure itself, to be executed when it starts again */
	int log;      /* where the service's output goes */
	int listener; /* of the filter */

	struct run run;
	const char *pid_file; /* PIDFile= of one that puts itself into the background; or NULL */
	int kill_signal;
	double timeout_stop; /* seconds; 0 is for ever */
	bool stop, stopped;  /* it has ExecStop=, ExecStopPost= */

	struct rotate_spec *files;
	size_t n_files;
	struct published *published;
	size_t n_published;
	struct strv made;    /* directories in /run that the start has made: they go with it */
	struct strv sockets; /* paths of unix sockets that were made for it */
	int passed[PLAN_PASS_MAX]; /* sockets that it is handed again at its next start */
	size_t n_passed;
	struct cgroup cgroup;

	struct listens listens;
	struct refusal_answers answers;
	char *const *calls; /* REFUSAL_NUMBERS names, "" where there is none; for the log */
	unsigned long refused;
	bool told[REFUSAL_NUMBERS]; /* that the log names already */

	struct logging logging; /* its /dev/log */
	struct notices notices;
	long watchdog_ms; /* 0: none */

	struct again again;
	struct again_history history;
};

/* The bytes of @k, new. */
char *keeper_write(const struct keeper *k, size_t *ret_len);

/* @ret borrows from @bytes. -EBADMSG. */
int keeper_read(const char *bytes, size_t len, struct keeper *ret, struct err *e);

/* Lets all descriptors of @k go through the next execve(2), or keeps them from it. */
void keeper_pass(const struct keeper *k, bool through);

/* Serves until the service is over for good; returns how it ended, as of waitpid(2). Where it is to
 * start again, immure is executed instead. SIGTERM and SIGINT end it; the others of
 * keeper_signals() are passed on. */
int keeper_run(struct keeper *k);

/* A signalfd of what a supervisor is told; they are blocked from here on. -errno. */
int keeper_signals(void);
