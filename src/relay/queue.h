/* SPDX-License-Identifier: MIT */
/* The bounded buffer of one jail, and its figures: a file in RUN that the jail's supervisor makes
 * and the relay maps. What was accepted stays there until somebody has it, whoever of the two, or
 * of the readers, is killed meanwhile; `immure status` reads the figures from the same file.
 *
 *   one page: struct queue_head | a ring of the rest: { length, bytes } ...
 *
 * The file is as long as SyslogBuffer= says and takes no memory before there is something in it:
 * the writer asks for room bit by bit, as a file system of memory that is full would kill who just
 * writes, and gives it back when all is gone.
 *
 * One process at a time writes (the relay, which holds RUN/relay.lock). taken = delivered + dropped
 * + what is in the ring, at every moment but the few instructions between two stores. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_MAGIC 0x716d6d69u /* "immq" */
#define QUEUE_HEAD  4096u

/* Bytes of the ring: some 100,000 lines unless the spec has another number. */
#define QUEUE_ROOM     (16ul << 20)
#define QUEUE_ROOM_MIN (64ul << 10)
#define QUEUE_ROOM_MAX (1ul << 30)

struct queue_figures {
	uint64_t taken;	    /* messages read from the jail */
	uint64_t delivered; /* taken by the destination */
	uint64_t full;	    /* dropped: the ring was full */
	uint64_t limited;   /* dropped: more than the spec's rate */
	uint64_t unserved;  /* thrown away by the supervisor, whose figure this is: no relay */
	uint64_t again;	    /* sent twice, as it cannot be known whether the first one was read */
};

struct queue_head {
	uint32_t magic;
	uint32_t relay;	  /* pid of the last relay, 0: none yet; for people */
	uint64_t in, out; /* bytes ever put in and taken out */
	struct queue_figures figures;
	uint64_t beat; /* the relay's answers to pings */
};

/* In the memory of one process. */
struct queue {
	struct queue_head *head;
	unsigned char *ring;
	uint64_t room;	 /* bytes of the ring */
	int fd;		 /* the writer's, else -1 */
	uint64_t backed; /* so many bytes of the ring are sure to have memory: the writer's */
	uint64_t sent;	 /* up to here it has been sent, perhaps in vain: head->out .. head->in */
};
#define QUEUE_INIT                                                                                 \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Maps the file @fd, as the one that writes. -EBADMSG for one that is no queue. What a killed
 * writer left is put right: a ring that does not hold together is emptied, what was in it counted
 * as dropped. With @anew the figures begin anew. */
int queue_open(struct queue *q, int fd, bool anew);

/* Lets the figures begin anew, with what waits as taken. */
void queue_begin(struct queue *q);

/* Whether @fd is the file that @q is a map of. */
bool queue_is(const struct queue *q, int fd);

/* Maps it for whoever only looks, and with @write adds to `unserved`. */
int queue_attach(struct queue *q, int fd, bool write);
void queue_unmap(struct queue *q);

/* Puts a message in, counted as taken unless it is our own (@own). False where there is no room:
 * then it is counted as dropped. */
bool queue_put(struct queue *q, const char *bytes, size_t len, bool own);

/* One that was read and is more than the spec's rate. */
void queue_limited(struct queue *q);

/* The next one to be sent, copied to @buf; its length, 0 where there is none, and in *ret_next
 * where it ends. */
size_t queue_next(const struct queue *q, char *buf, size_t size, uint64_t *ret_next);

/* All up to @to is the destination's now. */
void queue_confirm(struct queue *q, uint64_t to);

/* What was sent and not confirmed is to be sent again. */
void queue_rewind(struct queue *q);

bool queue_empty(const struct queue *q);

/* How many messages have room in it, whatever their length. */
size_t queue_room(const struct queue *q);

/* The figures in the file @fd, and how many messages wait in it (*ret_waiting). -EBADMSG. */
int queue_look(int fd, struct queue_figures *ret, uint64_t *ret_waiting, int *ret_relay);

/* Makes the empty file @fd a queue with @room bytes; one that is a queue with something in it stays
 * as it is. -ESTALE for an empty one of another size: who has it mapped must keep it, make another
 * file. */
int queue_make(int fd, uint64_t room);
