/* SPDX-License-Identifier: MIT */
/* A jail that runs: in the foreground for an init system, or under a supervisor of its own.
 *
 * The supervisor is the process that called run_start(); it holds RUN/NAME.lock while it lives, and
 * RUN/NAME.json (jail/running.h) says which processes are meant. When it dies, however it dies, the
 * kernel ends the jail (confine/run.h): "the lock is free" means "nothing of this jail runs".
 * RUN/NAME.json stays when the service ended otherwise than it was asked to: then it is dead, not
 * stopped. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "confine/peers.h"
#include "jail/generation.h"
#include "keep/logging.h"

enum service_state {
	SERVICE_RUNNING,
	SERVICE_DEAD,
	SERVICE_STOPPED,
	SERVICE_UNKNOWN,
	SERVICE_RESTARTING /* it has ended, and its keeper waits to start it again */
};

struct service_status {
	enum service_state
	    state; /* the values are the LSB's exit codes of `status` where they differ */
	pid_t pid; /* of the service, 0 where it does not run */
	pid_t init, supervisor;
	int generation;
	char started[40]; /* RFC 3339, "" where it does not run */
	long long memory; /* resident bytes of all its processes, shared pages counted once each */
	size_t processes;
	unsigned long refused;	    /* calls refused since the start */
	struct peers_refused peers; /* by ConnectTo=, SocketBindDeny=; -1 where they say nothing */
	bool logs; /* it has a /dev/log of the relay's, and these are its figures */
	struct logging_figures syslog;
	unsigned restarts; /* starts since the administrator's */
	char told[128];	   /* what the service tells of itself, STATUS=; "" */
	char note[400];	   /* what is not as it should be, one line; "" */
	char degraded[40]; /* since when its update is not proved, RFC 3339; "" */
};

/* "running", "dead", "stopped", "unknown", "restarting"; 0, 1, 3, 4, 3. */
const char *service_state_name(enum service_state s);
int service_state_code(enum service_state s);

int service_status(const struct dirs *d, const char *name, struct service_status *ret,
		   struct err *e);

/* Runs the jail in the foreground until it ends. Signals TERM, INT, HUP, QUIT, USR1, USR2 and WINCH
 * are passed on; a second TERM or INT does not wait any longer. *ret_status is the service's, as of
 * waitpid(2). */
int service_run(const struct dirs *d, const char *name, int *ret_status, struct err *e);

/* Goes on with a run that the short way has begun (launch/short.h), which @image tells of; as
 * service_run(). */
int service_adopt(const struct dirs *d, const char *name, int image, int *ret_status,
		  struct err *e);

/* Starts @name again, in the place of its keeper (keep/keeper.h), which has executed us; @image is
 * what it has handed over. Returns only where the keeper cannot be executed again. */
int service_resume(const struct dirs *d, const char *name, int image, struct err *e);

/* Writes what a start would carry out now to @path, for immure-launch; readable by root alone. */
int service_export_plan(const struct dirs *d, const char *name, const char *path, struct err *e);

/* Starts the jail under a supervisor in the background and waits until it is ready. 1 where it was
 * running already. An error says why it is not, with the service's last output. */
int service_start(const struct dirs *d, const char *name, struct err *e);

/* Stops and starts it; where it runs and its ConfigTest= fails it is left as it is. */
int service_restart(const struct dirs *d, const char *name, struct err *e);

/* Stops it and waits until nothing is left. 1 where it was not running. */
int service_stop(const struct dirs *d, const char *name, struct err *e);
