/* SPDX-License-Identifier: MIT */
/* The jail's /dev/log, from its supervisor's side (relay/wire.h is the other one).
 *
 *   RUN/NAME.log/socket   bound at /dev/log in the jail; the supervisor's while it lives
 *   RUN/NAME.log/queue    what the relay has taken and nobody has yet, and the figures
 *                         (relay/queue.h)
 *   RUN/NAME.log/socket.PID
 *                         the same of a jail that serves one connection (@shared), until it is
 *                         bound: several such share a queue, a rate and a way out
 *   RUN/NAME.daemon/      with Syslog=daemon: the directory in which a daemon of the host's listens
 *                         on the socket "log"; /dev/log is a link into it, so that the daemon may
 *                         be restarted
 *
 * The service never waits for us. The kernel keeps what it sends; the relay empties that into the
 * queue and drops, counted, what has no room. When the relay is gone another one is started and
 * given the same socket and queue; when it does not answer for a second it is killed first. Where
 * no relay can be had, the supervisor throws away itself what comes, and counts it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "confine/plan.h"
#include "relay/queue.h"

/* What the spec says of it. */
struct logging_settings {
	const char *where; /* Syslog=, or NULL: host; borrowed */
	bool stream;	   /* SyslogSocket= */
	uint64_t room;	   /* SyslogBuffer= */
	uint32_t burst;
	uint64_t interval_ms;
};

struct logging {
	const char *name;    /* of the jail; borrowed, as the next one is */
	const char *run_dir; /* RUN */
	struct logging_settings set;
	bool shared;	/* others of this name come and go */
	int program;	/* the relay's, to be executed; taken over */
	bool open;	/* there is a /dev/log */
	bool by_daemon; /* it is RUN/NAME.daemon/, and no relay is needed */
	int dir;	/* RUN/NAME.log, or -1 */
	int socket, queue_file;
	struct queue queue;	 /* the figures: ours is `unserved` */
	int conn;		 /* to the relay, or -1 */
	int relay;		 /* pidfd, or -1 */
	int lookup;		 /* of a child that looks for the way out, or -1 */
	int epoll, timer, watch; /* watch: of the file that is written to */
	ino_t file;		 /* the one that is watched */
	uint64_t lost;		 /* since when there is no relay, 0: there is one */
	unsigned delay;		 /* until the next try, milliseconds */
	uint64_t pinged;	 /* since when an answer is due; 0: none is */
	uint64_t beat;
	bool greeted;	     /* a relay, since the start */
	bool told_last;	     /* this relay: that no more will come */
	bool drained, alone; /* as WIRE_DRAINED says */
	bool ending;
};
#define LOGGING_INIT                                                                               \
	{                                                                                          \
		.program = -1, .dir = -1, .socket = -1, .queue_file = -1, .conn = -1, .relay = -1, \
		.lookup = -1, .queue = QUEUE_INIT, .epoll = -1, .timer = -1, .watch = -1           \
	}
#define CLEANUP_LOGGING CLEANUP(logging_close)

/* Makes what @l's settings ask for, and meets the relay where there is one; again on an open one:
 * nothing. */
int logging_open(struct logging *l, struct err *e);

/* Lets a relay begin where there is none, and waits a moment for it: to be called when all else of
 * a start is on its way. */
void logging_greet(struct logging *l);

/* Those that go on in another program (keep/keeper.h): the descriptors, and how many. There, with
 * the settings anew, logging_adopt(). */
#define LOGGING_FDS 10
size_t logging_fds(const struct logging *l, int ret[LOGGING_FDS]);
void logging_adopt(struct logging *l);

/* As fields of an image. */
struct pack;
void logging_pack(struct pack *w, struct logging_settings *s);

/* Adds /dev/log to @p, which has its /dev already. */
int logging_plan(const struct logging *l, struct plan *p, struct err *e);

/* The same of any socket: @source is its path or, @by_daemon, that of the directory in which it is
 * "log". A twin's is not the relay's. */
void logging_mount(struct plan *p, const char *source, bool by_daemon);

/* What @syslog (a value of Syslog=, or NULL) makes of it. */
bool logging_is_none(const char *syslog);
bool logging_is_daemon(const char *syslog);

/* The jail has its /dev/log, mounted: the name of one that is @shared goes. */
void logging_mounted(const struct logging *l);

/* Readable when logging_serve() has something to do; -1: never. */
int logging_fd(const struct logging *l);
void logging_serve(struct logging *l);

/* Nobody sends any more: lets the relay deliver what it has, for LOGGING_LAST_MS at most. What is
 * left waits in RUN for the next start. Safe on LOGGING_INIT, and twice. */
#define LOGGING_LAST_MS 2000
void logging_close(struct logging *l);

/* Figures of a jail, running or not; -ENOENT where it has none. */
struct logging_figures {
	uint64_t accepted, forwarded, dropped, waiting;
	int relay; /* pid, 0: none yet */
};
int logging_look(const char *run_dir, const char *name, struct logging_figures *ret);

/* Removes what is left in RUN, messages too. */
void logging_forget(const char *run_dir, const char *name);
