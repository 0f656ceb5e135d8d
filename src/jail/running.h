/* SPDX-License-Identifier: MIT */
/* RUN/NAME.json: which processes a running jail has, for everybody else who asks.
 *
 * Written by the supervisor, which holds RUN/NAME.lock while it lives. The file stays when the
 * service ended otherwise than it was asked to. RUN/NAME.counts is the keeper's (keep/keeper.h):
 * what changes while it runs. In RUN/NAME.notify/ the service tells how it is (keep/notices.h). */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "keep/dirs.h"

struct running {
	pid_t init, supervisor, main;
	int generation;
	char started[40]; /* RFC 3339 */
	/* Of RUN/NAME.counts. */
	unsigned long refused; /* calls of its that the filter refused */
	unsigned restarts;     /* since the administrator's start */
	pid_t told_main;       /* MAINPID= of the service, 0: none; for display */
	bool waiting;	       /* it has ended and is about to be started again */
	char status[128];      /* what the service tells of itself, STATUS=; "" */

	char note[400]; /* what is not as it should be, one line for people; "" */
};

/* The directory RUN, made where it is missing; a descriptor. */
int running_dir(const struct dirs *d, struct err *e);

int running_write(const struct dirs *d, const char *name, const struct running *r, struct err *e);

/* -ENOENT where there is none, -EBADMSG. */
int running_read(const struct dirs *d, const char *name, struct running *ret);

/* RUN/NAME.notify, made where it is missing; a descriptor. Its path, new. */
int running_own_dir(const struct dirs *d, const char *name, struct err *e);
char *running_own_path(const struct dirs *d, const char *name);
void running_remove_own_dir(const struct dirs *d, const char *name);

/* Takes RUN/NAME.lock; a descriptor. -EBUSY where the jail runs. */
int running_lock(const struct dirs *d, const char *name, struct err *e);

/* Whether process r->init is the init of what @r tells, by its parent: while a supervisor waits to
 * start again, the number in its notes may have become somebody else's. To be asked when a
 * descriptor of it is at hand. */
bool running_is_init(const struct running *r);

/* Whether somebody holds that lock: the jail runs. */
bool running_held(const struct dirs *d, const char *name);

/* Whether it runs another generation than the one that is current. */
bool running_outdated(const struct dirs *d, const char *name);

/* Removes RUN/NAME.SUFFIX. */
void running_remove(const struct dirs *d, const char *name, const char *suffix);
