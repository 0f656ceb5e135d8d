/* SPDX-License-Identifier: MIT */
/* `immure reload`: a running jail is brought to the configuration that the host has now, and the
 * service told. In this order:
 *   1. single configuration files and secrets renewed (jail/refresh.h), what the configuration has
 *      come to need laid and mounted (jail/extend.h), links to content and masks of foreign keys
 *      anew (jail/rebind.h);
 *   2. ConfigTest= in the jail: where it fails the service is told nothing;
 *   3. each ExecReload= line, in the jail with the service's rights, "+" lines on the host; without
 *      one SIGHUP, where the main process catches or awaits it. "kill -HUP $MAINPID" is done from
 * outside: a jail need not hold a kill program. Whoever asks does it, as root, one at a time
 * (RUN/NAME.reload): the jail's keeper is no part of it. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "keep/dirs.h"

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

/* -EREMOTEIO where the answer is no: it does not run, ConfigTest= or ExecReload= failed; the
 * message ends with the last lines that it printed. @ret is what was done until then. */
int reload_jail(const struct dirs *d, const char *name, enum reload_wish wish,
		struct reload_answer *ret, struct err *e);
