/* SPDX-License-Identifier: MIT */
/* A jail that this process runs, from its lock until its keeper takes over (keep/keeper.h). Whoever
 * calls live_init() is the supervisor: it holds RUN/NAME.lock, and the run dies with its main
 * thread. */
#pragma once

#include <stdbool.h>
#include <time.h>

#include "base/str.h"
#include "confine/cgroup.h"
#include "confine/listens.h"
#include "confine/run.h"
#include "jail/command.h"
#include "jail/generation.h"
#include "jail/passed.h"
#include "jail/running.h"
#include "keep/again.h"
#include "keep/logging.h"
#include "keep/notices.h"
#include "keep/publish.h"

struct ipc_settings;
struct refusals;

struct live {
	const struct dirs *dirs;
	const char *name;
	struct spec *spec;
	struct generation generation;
	struct command_set commands;
	struct ipc_settings *ipc;
	struct plan plan;
	struct run run;
	struct running running; /* as it was written last */
	struct publish publish;
	struct passed passed;  /* sockets that it is handed */
	int users;	       /* its user namespace (PrivateUsers=), or -1 */
	struct cgroup cgroup;  /* with the spec's limits, where there are any */
	bool background;       /* under a supervisor of ours, not an init system's */
	struct timespec began; /* when what it is made of had not been looked at yet */
	struct confinement confinement;
	struct listens listens;
	struct refusals *refusals;
	unsigned long refused; /* by whoever served it before this process */
	struct notices notices;
	struct logging logging; /* its /dev/log */
	struct again_history history;
	int stdio[3];	    /* the service's; borrowed */
	bool attached;	    /* it is another process's run: live_attach() */
	int lock;	    /* -1: not ours */
	int signals;	    /* signalfd of what the supervisor is told, or -1 */
	struct strv made;   /* directories of the host that this start has made */
	bool asked;	    /* to end: by a signal to the supervisor */
	bool settled;	    /* what comes after its end is done: errand.h */
	const char *result; /* how its start has failed, as SERVICE_RESULT= has it; or NULL */
};
#define CLEANUP_LIVE CLEANUP(live_done)

/* Nothing runs yet. live_done() must follow, also after errors. */
void live_init(struct live *l, const struct dirs *d, const char *name);
void live_done(struct live *l);

/* -EBUSY where it runs already. */
int live_lock(struct live *l, struct err *e);

/* Loads the generation, looks whether the native service is out of the way (jail/native.h), and
 * starts. Waits until the service has got where it wants to be, at most @seconds (0: as
 * TimeoutStartSec= says), and
 * until its pid files are right on both sides: where a number came out wrong it is stopped and
 * started again. *ret_ready is false where it has ended, was asked to, or needs longer than that;
 * that is no error here. Signals are served meanwhile. */
int live_start(struct live *l, const int stdio[3], double seconds, bool *ret_ready, struct err *e);

/* The same from where the short way of `immure run` has got to (launch/short.h): @before says which
 * processes and descriptors there are, and owns nothing afterwards. */
struct keeper;
int live_adopt(struct live *l, const struct keeper *before, const int stdio[3], double seconds,
	       bool *ret_ready, struct err *e);

/* Serves a signal that waits at l->signals: passed on, or the service is ended. */
void live_signal(struct live *l);

/* What a start would carry out now, as a packed plan (confine/packed.h) with the root by its path
 * and the standard streams of whoever runs it; new, the caller's to free. -EINVAL where a start
 * reads secrets, which are not to be kept. */
int live_pack(struct live *l, char **ret, size_t *ret_len, struct err *e);

/* Executes the keeper in this process's place, which from here on serves the run; returns only
 * where that cannot be. A run that has not begun (its start failed) is handed over too: the keeper
 * may start it again. */
int live_hand_over(struct live *l, struct err *e);

/* One run for one connection, which is this process's standard descriptors: nothing is written
 * down, and any number of them may run at once. Returns when it has ended; -EINVAL where the spec
 * of
 * @l does not say Accept=yes. */
int live_serve_one(struct live *l, struct err *e);

/* Ends what a failed start has left and says @e in the log; @l may be handed over then. */
void live_abandon(struct live *l, const struct err *e);

/* Fills @l for another process than the supervisor: what runs as @name, with what a command in it
 * needs (tell.h). -EREMOTEIO where it does not run. */
int live_attach(struct live *l, struct err *e);
