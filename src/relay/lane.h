/* SPDX-License-Identifier: MIT */
/* One jail in the relay: its members, each with a source and the connection to its supervisor, and
 * what they share: queue, rate and way out. A jail that is started is one member; where each
 * connection of a service is served by a jail of its own, those that live just now are members
 * under one name. What they have left goes on when the last of them has ended. Lanes share nothing:
 * a jail that floods or hangs fills its own queue. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "relay/queue.h"
#include "relay/rate.h"
#include "relay/sink.h"
#include "relay/source.h"

struct member {
	struct member *next;
	int conn; /* to the supervisor; -1: it has gone */
	struct source source;
	bool last;     /* no more will come */
	bool dry;      /* nothing was left to be read, just now */
	uint64_t gone; /* since when its supervisor has gone; 0: it has not */
};

struct lane {
	struct lane *next;
	struct lane *const *all; /* the list that it is in, borrowed */
	int epoll;		 /* borrowed */
	struct member *members;
	struct queue queue;
	struct sink sink;
	struct rate rate;
	char name[72], host[72];
	enum message_form form;
	uint64_t way;		       /* where it leads, as a number */
	bool shared;		       /* members come and go */
	bool ready;		       /* something has happened: the loop's note */
	uint64_t gone;		       /* since when there is no member; 0: there is one */
	uint64_t asked;		       /* when, last */
	const struct member *asked_of; /* for a way out, and has not answered; or NULL */
	uint64_t retry;	     /* when to ask for a way out again, or to try this one; 0: never */
	unsigned delay;	     /* until then, in milliseconds; grows while nothing gets on */
	uint64_t came;	     /* when the last message did */
	uint64_t burst;	     /* when the first of those that wait did */
	uint64_t moved;	     /* when the destination last took something */
	uint64_t told;	     /* drops that our own lines have told of */
	uint64_t dropped_at; /* when the last one was, 0: none to tell */
	uint64_t since;	     /* when the first one of them was */
};

/* A lane for the connection @conn, which is taken over; NULL where there is no memory. It has
 * nothing to do before its supervisor has said what it is. */
struct lane *lane_new(int conn, int epoll, struct lane *const *all);

/* Serves whatever is due. False when it is over: then lane_free(). */
bool lane_serve(struct lane *l, uint64_t now_ms);

/* When it wants to be served without anything happening, in milliseconds of the same clock; 0: not
 * at all. */
uint64_t lane_due(const struct lane *l);

void lane_free(struct lane *l);
