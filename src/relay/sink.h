/* SPDX-License-Identifier: MIT */
/* The way out of one jail's queue: a connected socket or a file.
 *
 * A message counts as delivered when the other side has it, not when the kernel does: a log daemon
 * that is restarted throws away what waits in its socket, and send(2) does not tell. So:
 *
 * datagram  one message at a time. When the kernel says that nothing is unread (SIOCOUTQ), either
 *it was read or the reader is gone and its queue was thrown away; whether the reader lives is asked
 *by the next datagram (an empty one where there is no next message: log daemons pass it over). And
 *what was read need not have been written: a message is confirmed when a later datagram has been
 *read as well. What is not confirmed when the reader goes is sent to the next one: two messages may
 *come twice, none is lost. stream    the same with the end of the connection for a sign, and
 *without the last step. TCP	     confirmed by the bytes that the other host's kernel has
 *acknowledged; RFC 6587 has no more to offer. file	     confirmed when it is written. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "relay/queue.h"
#include "relay/wire.h"

struct sink {
	int fd; /* -1: none */
	enum sink_kind kind;
	bool polled;	   /* nothing wakes us when it has got on: ask again */
	uint64_t read;	   /* up to here the reader has read, and perhaps not yet written */
	uint64_t part;	   /* bytes of the message at queue->sent that have gone out already */
	uint64_t unproved; /* bytes of TCP that have gone out after queue->head->out */
};
#define SINK_INIT                                                                                  \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Takes @fd over, in the place of what was there: what was not confirmed goes out again. */
void sink_take(struct sink *s, struct queue *q, int fd, enum sink_kind kind);

/* Sends as much of @q as can be sent now. False where the way is lost: it is closed then. */
bool sink_pump(struct sink *s, struct queue *q);

/* Closes it; what was not confirmed is to be sent again. */
void sink_drop(struct sink *s, struct queue *q);
