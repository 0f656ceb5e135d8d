/* SPDX-License-Identifier: MIT */
/* A twin: one throw-away run of the service, with its exercise, in a world of its own. */
#pragma once

#include "base/err.h"
#include "confine/selftest.h"
#include "grow/record.h"
#include "jail/direct.h"
#include "jail/exercise.h"
#include "jail/layout.h"
#include "jail/policy.h"
#include "jail/probe.h"
#include "jail/user-files.h"
#include "jail/who.h"
#include "spec/spec.h"

enum twin_kind {
	TWIN_NATIVE, /* the world's root is the service's */
	TWIN_GROW,   /* an empty tree, under the supervisor */
	TWIN_SEALED, /* a sealed tree, read-only, without a supervisor */
};

struct twin {
	enum twin_kind kind;
	const struct spec *spec;
	const char *scratch;		 /* an empty directory for this twin alone */
	const struct cgroup *cgroup;	 /* or NULL */
	const char *label;		 /* for messages: "the native twin" */
	const struct layout *layout;	 /* not for TWIN_NATIVE */
	const struct user_files *own;	 /* put into the world, or NULL */
	const char *tree;		 /* the root directory, not for TWIN_NATIVE */
	const char *manifest_dir;	 /* TWIN_SEALED: the generation's directory */
	struct confinement *confinement; /* TWIN_SEALED: its walls */
	bool private_users;		 /* though the spec does not ask for it: a trial */
	struct record *record;		 /* watched where not NULL; filled */
	const struct strv *listeners;	 /* expected ones, or NULL */
	const struct direct *direct;	 /* started instead of the spec's command, or NULL */
	const struct record *written;	 /* of the baseline: where to look for pid files; or NULL */
	struct probe *probe; /* the default exercise; made by the baseline, which is watched */
	double patience;     /* for a mere trial, seconds until it is ready; 0: as the spec says */
	bool scout; /* only started, without any network: what it touches counts, not what becomes
		       of it */
	struct layout *derive; /* where not NULL: layout_derive() while the world still stands */
};

struct twin_report {
	struct outcome *steps;
	size_t n_steps;
	struct strv listeners;
	struct who who;	       /* whom it ran as, at rest and after the exercise */
	struct direct direct;  /* of the baseline: the program that its start ended in */
	struct strv pid_files; /* of `written`, those that name a process of this run */
	bool forks;	       /* its first process ended, and others went on */
	double start_s, exercise_s, stop_s;
	int derived;	     /* new provisions */
	struct strv refused; /* calls that its filter refused: "chroot, 3 times" */
	bool forced;	     /* it had to be killed */
	struct strv
	    unwell; /* commands around its stop that failed: "ExecStop=/bin/x failed (...)" */

	/* TWIN_SEALED: what its walls were, seen from inside before it was executed. */
	struct selftest_row *walls;
	size_t n_walls;
};
#define TWIN_REPORT_INIT                                                                           \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_TWIN_REPORT CLEANUP(twin_report_done)
void twin_report_done(struct twin_report *r);

/* Adds what of the commands around the stop failed in @jailed and not in @native. */
void twin_unwell(const struct twin_report *native, const struct twin_report *jailed,
		 struct strv *ret);

/* Runs it: start, ready, every exercise step, stop. An error of the service (it died, it was never
 * ready) carries its last output; -ETIME is a time-out, -EINTR the user's interrupt. Steps that
 * fail are no error of the twin. */
int twin_run(const struct twin *t, struct twin_report *ret, struct err *e);

/* Set by the signal handler of `build`; looked at in every wait. */
extern volatile int twin_interrupted;
