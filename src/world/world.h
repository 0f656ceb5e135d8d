/* SPDX-License-Identifier: MIT */
/* A world: the private namespaces and the throw-away overlay of the host in which a twin runs.
 *
 * Mount, network, ipc and uts namespaces of its own; below its "/" every file system of the host
 * under an overlay whose upper layer lies in the scratch directory; /dev, /dev/shm, /dev/pts and
 * /sys of its own; a network of lo alone, which carries the host's addresses too. What happens in a
 * world stays there: closing it takes the namespaces and their mounts with it, and the scratch
 * directory is the caller's to remove. The pid namespace comes with the run (confine/run.h), one
 * run a world. */
#pragma once

#include "base/err.h"

struct world {
	int root; /* O_PATH: the world's "/", with all its mounts */
	int mnt_ns, net_ns, ipc_ns, uts_ns;
};
#define WORLD_INIT                                                                                 \
	{                                                                                          \
		.root = -1, .mnt_ns = -1, .net_ns = -1, .ipc_ns = -1, .uts_ns = -1                 \
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
