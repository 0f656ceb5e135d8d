/* SPDX-License-Identifier: MIT */
/* Commands of the spec in and beside a jail that runs: ConfigTest=, ExecReload=, and those around a
 * run (keep/errand.h). */
#pragma once

#include "base/err.h"
#include "confine/enter.h"
#include "jail/live.h"

/* Where lines are run. It borrows all of it. */
struct teller {
	const struct spec *spec;
	const struct run *run;
	struct plan *plan;
	struct command_set *commands;
	const struct enter_watch *watcher; /* of a twin that learns; or NULL */
	bool world;			   /* a twin's: what runs on the host is passed over */
	bool alone;			   /* no main process is told of */
	int output; /* where they print, or -1: what they printed is told when they fail */
	long until; /* by clock_ms(), when all of them must have ended; 0: each has its time */
	const char *what; /* the key */
};

/* Of a jail that runs, for lines of the key @what. */
struct teller tell_live(struct live *l, const char *what);

/* Runs all lines of @list; stops at the first that fails, -EREMOTEIO, -ETIME. MAINPID is set in
 * their environment. */
int tell_all(struct teller *t, const struct exec_list *list, struct err *e);

/* Runs all lines of @list; stops at the first that fails, -EREMOTEIO with what it printed. @what
 * names the key. MAINPID is set in the environment of @l. */
int tell_lines(struct live *l, const struct exec_list *list, const char *what, struct err *e);

/* ExecReload=, or SIGHUP. */
int tell_reload(struct live *l, struct err *e);

/* The signal that the words of a kill(1) line send to @pid ("kill -s HUP 12", "/bin/kill -1 12"),
 * or 0 where the line is anything else. Exposed for the unit test. */
int tell_signal(char *const *words, const char *pid);
