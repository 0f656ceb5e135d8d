/* SPDX-License-Identifier: MIT */
/* The way out of one jail's queue: a connected socket or a file.
 *
 * A message counts as delivered when the other side has it, not when the kernel does: a log daemon
 * that is restarted throws away what waits in its socket, and send(2) does not tell. So:
 *
 * datagram: one message at a time. When the kernel says that nothing is unread (SIOCOUTQ), either
 * it was read or the reader is gone and its queue was thrown away; whether the reader lives is
 * asked by the next datagram (an empty one where there is no next message: log daemons pass it
 * over). And what was read need not have been written: a message is confirmed when a later datagram
 * has been read as well. What is not confirmed when the reader goes is sent to the next one: two
 * messages may come twice, none is lost.
 *
 * stream: the same with the end of the connection for a sign, and without the last step.
 *
 * TCP: the other host's kernel acknowledges bytes, and RFC 6587 has no more to offer. But a daemon
 * that closes has its kernel tell whether it had read all (FIN) or not (RST, RFC 1122 4.2.2.13): so
 * what was acknowledged is kept for a while, half a second or more unless it is more than a
 * megabyte (590 kB unread have been seen), and after an RST sent again. What is read and
 * not written when the other host goes down cannot be known. At the end of the jail our own FIN is
 * answered by the other's, which confirms all.
 *
 * file: confirmed when it is written. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "relay/queue.h"
#include "relay/wire.h"

struct sink {
	int fd; /* -1: none */
	enum sink_kind kind;
	bool polled;	/* nothing wakes us when it has got on: ask again */
	uint64_t read;	/* up to here the reader has read, and perhaps not yet written */
	uint64_t part;	/* bytes of the message at queue->sent that have gone out already */
	uint64_t moved; /* goes up whenever the other side has taken something */

	/* TCP */
	uint64_t acked;	   /* up to here the other kernel has it */
	uint64_t unproved; /* bytes that have gone out after that */
	uint64_t mark;	   /* what was acknowledged at @marked: confirmed at the next mark */
	uint64_t marked;   /* milliseconds */
	bool finished;	   /* our end is closed */
};
#define SINK_INIT                                                                                  \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Takes @fd over, in the place of what was there: what was not confirmed goes out again. */
void sink_take(struct sink *s, struct queue *q, int fd, enum sink_kind kind);

/* Sends as much of @q as can be sent now. False where the way is lost: it is closed then. */
bool sink_pump(struct sink *s, struct queue *q);

/* No more will come: has the other side confirm what it has, where it can be asked. */
void sink_finish(struct sink *s, const struct queue *q);

/* Closes it; what was not confirmed is to be sent again. */
void sink_drop(struct sink *s, struct queue *q);
