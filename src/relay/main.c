/* SPDX-License-Identifier: MIT */
/* immure-relay: carries the syslog messages of all jails of one RUN directory out of them. Static,
 * linked with musl where the build host has it, made of this directory and a little of base.
 *
 *   immure-relay UID	  descriptor 3: RUN/.relay.sock, bound; 4: the lock RUN/.relay.lock
 *
 * Started by the first supervisor that needs it (keep/logging.c), it ends with the last jail.
 * Whoever kills it loses nothing: supervisors notice, start another one and hand it the
 * same sockets and queues. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "relay/lane.h"
#include "relay/shut.h"

#define LISTENER 3
#define BACKLOG	 128
#define EVENTS	 64
#define IDLE_MS	 2000 /* without a first jail for so long: over */

struct relay {
	int epoll;
	struct lane *lanes;
	uint64_t begun;
	bool served; /* it has had a jail */
};

static void accept_all(struct relay *r)
{
	int conn;

	while ((conn = accept4(LISTENER, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		struct lane *l = lane_new(conn, r->epoll, &r->lanes);
		if (!l) {
			close(conn);
			continue;
		}
		l->next = r->lanes;
		r->lanes = l;
	}
}

/* Milliseconds until a lane wants its turn, -1: none does. */
static int patience(const struct relay *r, uint64_t now)
{
	uint64_t due = r->served ? 0 : r->begun + IDLE_MS;

	for (const struct lane *l = r->lanes; l; l = l->next) {
		uint64_t at =
		    l->ready ? now : lane_due(l); /* another lane's turn may have told it */
		if (at && (!due || at < due))
			due = at;
	}
	return !due ? -1 : due <= now ? 0 : (int)(due - now);
}

static void wait_for(struct relay *r)
{
	struct epoll_event ev[EVENTS];
	int n = epoll_wait(r->epoll, ev, EVENTS, patience(r, (uint64_t)clock_ms()));

	/* Nobody is freed before all of these are read. */
	for (int i = 0; i < n; i++)
		if (ev[i].data.ptr)
			((struct lane *)ev[i].data.ptr)->ready = true;
		else
			accept_all(r);
}

static void serve(struct relay *r, uint64_t now)
{
	struct lane **at = &r->lanes;

	r->served |= r->lanes != NULL;
	while (*at) {
		struct lane *l = *at;
		uint64_t due = lane_due(l);
		if ((l->ready || (due && due <= now)) && !lane_serve(l, now)) {
			*at = l->next;
			if (l->shared) { /* there will be more of its name: as just begun */
				r->served = false;
				r->begun = now;
			}
			lane_free(l);
		} else
			at = &l->next;
	}
}

static void loop(struct relay *r)
{
	do {
		wait_for(r);
		serve(r, (uint64_t)clock_ms());
	} while (r->lanes || (!r->served && (uint64_t)clock_ms() - r->begun < IDLE_MS));
}

int main(int argc, char **argv)
{
	struct epoll_event ev = {.events = EPOLLIN};
	struct err e = {0};
	uid_t uid = argc == 2 ? (uid_t)strtoul(argv[1], NULL, 10) : 0;

	/* Listening is what tells who we are (SO_PEERCRED of whoever connects). */
	if (!uid || listen(LISTENER, BACKLOG) < 0) {
		dprintf(2, "usage: immure-relay UID (immure start NAME is what you want)\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	struct relay r = {.epoll = epoll_create1(EPOLL_CLOEXEC), .begun = (uint64_t)clock_ms()};
	if (r.epoll < 0 || epoll_ctl(r.epoll, EPOLL_CTL_ADD, LISTENER, &ev) < 0 ||
	    shut_in(uid, &e) < 0) {
		dprintf(2, "immure-relay: %s\n", e.code ? e.msg : strerror(errno));
		return 1;
	}
	loop(&r);
	return 0;
}
