/* SPDX-License-Identifier: MIT */
/* What a jail's supervisor and the relay say to one another, over RUN/relay.sock (SOCK_SEQPACKET,
 * root's alone). One connection a jail, or where each connection of a service is served by a
 * jail of its own one for each, under one name; it ends with the jail, or with the relay.
 *
 *   supervisor                             relay
 *   WIRE_HELLO, queue and source  -->
 *                                 <--  WIRE_WANT: a way to the destination, please
 *   WIRE_SINK, a descriptor       -->      again after each loss; unasked where a file was rotated
 *   WIRE_PING                     -->      head->beat goes up in the queue
 *   WIRE_LAST: no more will come  -->
 *                                 <--  WIRE_DRAINED
 *
 * The relay opens nothing and connects to nothing: it has no network, no file system and no right
 * to. What it can do to the host is what these descriptors can. */
#pragma once

#include <stdint.h>

#include "relay/message.h"

#define WIRE_VERSION 2

enum wire_type { WIRE_HELLO = 1, WIRE_WANT, WIRE_SINK, WIRE_PING, WIRE_LAST, WIRE_DRAINED };

/* How a descriptor is written to. */
enum sink_kind {
	SINK_NONE,     /* it could not be opened just now */
	SINK_DATAGRAM, /* unix sockets, connected */
	SINK_STREAM,
	SINK_TCP, /* connected, or just about to be */
	SINK_FILE,
	SINK_KINDS
};

struct wire {
	uint32_t type, version;
	char name[72];	      /* HELLO: the jail's */
	char host[72];	      /* HELLO: this host's, for forms that have it */
	uint32_t form;	      /* HELLO: enum message_form */
	uint32_t stream;      /* HELLO: the source is a listening stream socket */
	uint32_t burst;	      /* HELLO: messages in an interval, 0: any number */
	uint64_t interval_ms; /* HELLO */
	uint32_t anew;	      /* HELLO: of a start, not of a relay after another: figures at 0 */
	uint32_t shared;      /* HELLO: one of several under this name, which come and go */
	uint64_t way;	      /* HELLO: another number where Syslog= leads elsewhere */
	uint32_t sink;	      /* SINK: enum sink_kind */
	uint32_t alone; /* DRAINED: the relay has no other jail, and ends with this connection */
};

#define WIRE_FDS 2

/* Sends @w with @n descriptors (at most WIRE_FDS); never waits. 0 or -errno. */
int wire_send(int sock, const struct wire *w, const int *fds, int n);

/* Receives one, with up to WIRE_FDS descriptors (the rest -1), the caller's. 1; 0 at the end;
 * -EAGAIN, -EBADMSG for what is none of these. */
int wire_receive(int sock, struct wire *w, int fds[WIRE_FDS]);
