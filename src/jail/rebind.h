/* SPDX-License-Identifier: MIT */
/* Keeps single files that a running jail shares with the host the same file on both sides.
 *
 * A mount of one file shows one inode for ever. When the host's log rotation renames
 * /var/log/NAME.log and makes a new one, the jail must get the new one: it is mounted in the place
 * of the old, so that a service that reopens its log after a HUP finds it. Where nobody makes a new
 * one (logrotate's nocreate), it is made, after a moment, with the old one's owner and mode. */
#pragma once

#include "confine/run.h"
#include "jail/layout.h"

struct rebind {
	int inotify; /* -1 where there is nothing to watch */
	struct rebind_file *files;
	size_t n;
};
#define REBIND_INIT                                                                                \
	{                                                                                          \
		.inotify = -1                                                                      \
	}
#define CLEANUP_REBIND CLEANUP(rebind_done)

/* Watches the single files of @l: written ones, and accounts that are the host's own. Only the
 * first are made where the host has none. */
void rebind_open(struct rebind *rb, const struct layout *l);

/* To be called when the descriptor is readable, and after rebind_wait() milliseconds. */
void rebind_serve(struct rebind *rb, const struct run *r);

/* How long until rebind_serve() has something to do by itself; -1: nothing. */
int rebind_wait(const struct rebind *rb);

void rebind_done(struct rebind *rb);
