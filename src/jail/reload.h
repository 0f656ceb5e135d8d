/* SPDX-License-Identifier: MIT */
/* `immure reload`: a running jail is brought to the configuration that the host has now, and the
 * service told.
 *
 * Asked for over RUN/NAME.sock, which only root reaches; the supervisor has all that is needed in
 * hand. One byte says what is wanted, the answer is one JSON object. In this order:
 *   1. single configuration files and secrets renewed (jail/refresh.h), what the configuration has
 *      come to need laid and mounted (jail/extend.h), links to content and masks of foreign keys
 *      anew (jail/rebind.h);
 *   2. ConfigTest= in the jail: where it fails the service is told nothing;
 *   3. each ExecReload= line, in the jail with the service's rights, "+" lines on the host; without
 *      one SIGHUP, where the main process catches it. "kill -HUP $MAINPID" is done by the
 *      supervisor itself: a jail need not hold a kill program.
 * 2 and 3 are done by a child, one at a time, so that the supervisor goes on serving. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"
#include "jail/dirs.h"

struct live;
struct rebind;

/* The supervisor's side. */
struct reload {
	int listener; /* RUN/NAME.sock, or -1 */
	int worker;   /* pidfd of the child that is at work, or -1 */
	pid_t pid;    /* of that child */
	const struct live *live;
};
#define RELOAD_INIT                                                                                \
	{                                                                                          \
		.listener = -1, .worker = -1                                                       \
	}
#define CLEANUP_RELOAD CLEANUP(reload_done)

void reload_open(struct reload *r, const struct live *l);
void reload_done(struct reload *r);

/* The descriptor that is readable when there is something to do. */
int reload_fd(const struct reload *r);
void reload_serve(struct reload *r, const struct live *l, struct rebind *rb);

/* Whoever asks. */
enum reload_wish {
	RELOAD_TELL = 'r', /* all of it */
	RELOAD_TEST = 't', /* 1 and 2 only: before a restart */
};

struct reload_answer {
	struct strv renewed; /* paths that are as on the host again */
	struct strv gone;    /* that the host has no more, and the jail still has */
	struct strv added;   /* that are new: "PATH: REASON" */
};
#define CLEANUP_RELOAD_ANSWER CLEANUP(reload_answer_done)
void reload_answer_done(struct reload_answer *a);

/* Asks the supervisor of @name and waits. -EREMOTEIO where the answer is no: it does not run,
 * ConfigTest= or ExecReload= failed; the message ends with the last lines that it printed. @ret is
 * what was done until then. */
int reload_ask(const struct dirs *d, const char *name, enum reload_wish wish,
	       struct reload_answer *ret, struct err *e);
