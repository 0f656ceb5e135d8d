/* SPDX-License-Identifier: MIT */
/* A world: the private namespaces and the throw-away overlay of the host in which a twin runs.
 *
 * Mount, network, ipc and uts namespaces of its own; below its "/" every file system of the host
 * under an overlay whose upper layer lies in the scratch directory; /dev, /dev/shm, /dev/pts and
 * /sys of its own; a network of lo alone, which carries the host's addresses too. What happens in a
 * world stays there: closing it takes the namespaces and their mounts with it, and the scratch
 * directory is the caller's to remove. The pid namespace comes with the run (confine/run.h), one
 * run a world.
 *
 * Nothing in it leads to a process of the host: sockets and pid files that live ones have made are
 * not there (world/leftovers.h), abstract sockets belong to the network namespace, queues and
 * segments to that of ipc. With WORLD_NET_HOST all that listens on the host's network is in reach,
 * its abstract sockets too. Key rings of users, user-keyring(7), belong to the user namespace,
 * which is the host's: a process as a user of the host meets that user's keys (confine/rights.h
 * leaves the session's). */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "world/log.h"

struct world {
	int root; /* O_PATH: the world's "/", with all its mounts */
	int mnt_ns, net_ns, ipc_ns, uts_ns;
	struct log_nowhere log; /* its /dev/log: takes what is sent, and throws it away */
};
#define WORLD_INIT                                                                                 \
	{                                                                                          \
		.root = -1, .mnt_ns = -1, .net_ns = -1, .ipc_ns = -1, .uts_ns = -1,                \
		.log = LOG_NOWHERE_INIT                                                            \
	}
#define CLEANUP_WORLD CLEANUP(world_close)

enum world_net { WORLD_NET_PRIVATE, WORLD_NET_HOST };

/* Makes a world whose layers lie below the directory @scratch (absolute, existing, empty, on a file
 * system that can hold an overlay's upper layer). */
int world_open(const char *scratch, enum world_net net, struct world *ret, struct err *e);
void world_close(struct world *w);

/* Lets the directory @target of the world be what @source of it is (copy-on-write like all of the
 * world), or, where @source is NULL, empty with the same owner and mode. */
int world_substitute(const struct world *w, const char *target, const char *source, struct err *e);

/* Lets the directory @target of the world be what the directory @path (relative) of the detached
 * mount @mnt is, copy-on-write with its layer below @scratch. @mnt is used up: it serves for
 * nothing else, and closing it is the caller's. */
int world_cover(const struct world *w, const char *target, int mnt, const char *path,
		const char *scratch, struct err *e);

/* Opens to the world the host's unix sockets at and below @paths (absolute; a missing one is passed
 * over): each alone is bound from the host, so that who connects to it in the world reaches the
 * process that serves it. */
int world_let_in(const struct world *w, const struct strv *paths, struct err *e);
