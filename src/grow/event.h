/* SPDX-License-Identifier: MIT */
/* One trapped call, decoded, and the engine that acts on it. Free of seccomp: a second mechanism
 * (eBPF tracepoints) would fill the same struct event. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

#include "grow/calls.h"
#include "grow/programs.h"
#include "grow/tree.h"

struct event_path {
	char text[4096]; /* as the caller wrote it; "" is the descriptor itself */
	char base[4096]; /* canonical directory that a relative path starts from */
	bool used;
	bool follow;
	bool mounted; /* what it names is about to appear elsewhere too: mount(2)'s source */
	bool in_root; /* openat2's RESOLVE_IN_ROOT: the base is the root */
	bool emptied; /* O_TRUNC: the bytes that were there are of no use to it */
	unsigned kinds;
};

struct event {
	pid_t tid;
	enum phase phase;
	const struct call *call;
	uint64_t args[6];
	bool light;    /* of a command that may fail: what it writes is no evidence */
	unsigned word; /* bytes of a pointer of the thread's: 4 or 8 */

	/* Filled by event_read(). */
	char root[4096]; /* the thread's root, canonical */
	struct event_path paths[2];
	struct sockaddr_storage addr; /* SHAPE_SOCKADDR of another family than AF_UNIX */
	socklen_t addr_len;

	unsigned program; /* the thread's, its number in the record; filled by engine_handle() */
};

/* Makes @ev ready for a call. Its buffers are not cleared, only emptied: this is the hot path. */
void event_begin(struct event *ev, pid_t tid, enum phase phase, const struct call *call);

/* Reads what the call names out of the thread. -errno where it cannot be read: then it is the
 * kernel's to refuse, or the thread is gone. */
int event_read(struct event *ev);

/* What the last seen calls resolved to, so that the same call again costs one look-up. */
struct seen {
	char *key;
	unsigned epoch;
	UT_hash_handle hh;
};

/* A path that a call in flight may be making: whether it did is seen when the call has returned. */
struct making {
	struct touch *touch;
	pid_t tid;
};

struct engine {
	struct tree *tree;
	struct programs programs;
	struct making *makings;
	size_t n_makings;
	struct seen *seen;
	unsigned epoch; /* goes up when names may have come to mean something else */
};

enum engine_answer {
	ENGINE_DONE,
	ENGINE_LATER,
	ENGINE_NEVER, /* the run is void, and the call must not go on */
};

/* Resolves, faults and records. ENGINE_LATER: a big copy is under way; handle the same event again
 * when the tree has taken one in. */
enum engine_answer engine_handle(struct engine *en, struct event *ev);

/* Looks which of the paths in the making are there by now. @tid has just made its next call, so
 * what it was making is decided; 0: nobody has. */
void engine_settle(struct engine *en, pid_t tid);
void engine_done(struct engine *en);
