/* SPDX-License-Identifier: MIT */
/* What a jailed service tells its manager, sd_notify(3): taken in on a socket of our own, which
 * stands in a directory that the jail sees, and passed on to the manager that started us.
 *
 * The service is hostile: only lines of the table are passed on, made printable; a process number
 * is that of one of its own processes, as seen outside; descriptors (FDSTORE=1, BARRIER=1) are
 * closed at once, so that nothing of ours or the manager's is held for it. READY=1 is the caller's
 * to pass on, who knows what else a start waits for. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "confine/run.h"

/* The directory in the jail, and the socket's name in it. */
#define NOTICES_DIR  "/run/immure"
#define NOTICES_NAME "notify"

enum notices_from { NOTICES_NONE, NOTICES_MAIN, NOTICES_EXEC, NOTICES_ALL }; /* NotifyAccess= */

#define NOTICES_STATUS_MAX 128

struct notices {
	int socket; /* -1: the service tells nothing */
	enum notices_from from;
	bool ready, stopping;
	unsigned long beats;		 /* WATCHDOG=1 so far */
	bool trigger;			 /* WATCHDOG=trigger */
	pid_t main;			 /* MAINPID=, outside; 0: not told */
	pid_t claimed;			 /* the number that was told last, not looked up yet */
	char status[NOTICES_STATUS_MAX]; /* STATUS=, printable */
};
#define NOTICES_INIT                                                                               \
	{                                                                                          \
		.socket = -1                                                                       \
	}

/* RUN/NAME.notify, made where it is missing, below the directory RUN, open as @run; a descriptor.
 * It is removed with what is in it. */
int notices_dir(int run, const char *name, struct err *e);
void notices_remove(int run, const char *name);

/* Makes the socket in directory @dir, for @from to write to. */
int notices_open(struct notices *n, int dir, enum notices_from from, struct err *e);

/* When the socket is readable. @ready_known: a later READY=1 (of a reload) is passed on too. */
void notices_serve(struct notices *n, const struct run *r, bool ready_known);

/* What is passed on of one message of @len bytes, new, "" where nothing is; and what it says into
 * @n. Exposed for the unit test and the fuzzer. */
char *notices_take(struct notices *n, const char *text, size_t len, bool ready_known);

/* Looks up what MAINPID= has said: only a process of the jail counts, by its number outside. The
 * line to pass on, new, or NULL. */
char *notices_claim(struct notices *n, const struct run *r);
