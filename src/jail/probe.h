/* SPDX-License-Identifier: MIT */
/* The default exercise, when the spec has none: connect to each listener, a TLS handshake where a
 * port speaks TLS, reload, connect again, reopen logs. It proves that much and no more, and the
 * summary says so. */
#pragma once

#include <sys/socket.h>

#include "base/err.h"
#include "jail/exercise.h"

/* What it is made of, in order: "connect to tcp:127.0.0.1:80", "reload (SIGHUP)", ... */
struct probe_step {
	char *text; /* for the summary */
	enum probe_kind { PROBE_CONNECT, PROBE_SIGNAL, PROBE_SKIP } kind;
	char *listener; /* PROBE_CONNECT */
	int signal;	/* PROBE_SIGNAL */
	bool known;	/* one run has shown what comes of it; the text says it too */
	bool plain;	/* PROBE_CONNECT: no TLS is spoken there */
};

struct probe {
	struct probe_step *v;
	size_t n;
};
#define PROBE_INIT                                                                                 \
	{                                                                                          \
		0                                                                                  \
	}
void probe_done(struct probe *p);

/* Made once, from the baseline when it is ready: its listeners, and the signals that its main
 * process catches (HUP to reload, USR1 to reopen logs, last: it ends some services). */
void probe_make(struct probe *p, const struct run *r, const struct strv *listeners);

/* Carries out step @i in the place, its result as text in ret->out, made to be compared: what
 * differs each time (salts, dates) is left out. A listener that takes no connection is a failure; a
 * service that ended by a signal is none, as long as it always does. What is learnt of a port stays
 * in @p and saves the next twins a wait. */
int probe_run(struct probe *p, size_t i, const struct place *pl, const char *scratch,
	      struct outcome *ret, struct err *e);

/* The address of a listener "tcp:127.0.0.1:80", "tcp:[::]:80" or "unix:/run/x.sock" (jail/ready.h)
 * for connect(2); that of a wildcard is loopback. Its length, or 0 where it is none of these.
 * Exposed for the unit test, like the next. */
socklen_t probe_address(const char *listener, struct sockaddr_storage *ret);

/* Whether the main process of @r catches @sig now. */
bool probe_main_catches(const struct run *r, int sig);

/* Whether every thread of it blocks @sig or waits for it now, as in a program that takes its
 * signals by sigwait(3) or signalfd(2): it does not end by them. */
bool probe_main_waits(const struct run *r, int sig);

/* Whether @status, a text as in proc_pid_status(5), says that @sig is caught. */
bool probe_catches(const char *status, int sig);
