/* SPDX-License-Identifier: MIT */
/* Keeps single files that a running jail shares with the host the same on both sides, where a mount
 * alone does not.
 *
 * A mount of one file shows one inode for ever. When the host's log rotation renames
 * /var/log/NAME.log and makes a new one, the jail must get the new one: it is mounted in the place
 * of the old, so that a service that reopens its log after a HUP finds it. The jail gets a new one,
 * with the old one's owner and mode, as soon as the old one is gone; where nobody makes one on the
 * host (logrotate's nocreate), this one gets the name after a moment. Where somebody did, and the
 * service has opened or written to this one meanwhile, it stays as NAME.immure, NAME.immure.2 and
 * so on: nothing is lost. */
#pragma once

#include "confine/run.h"

struct rotate_spec {
	const char *path; /* the same on both sides */
	bool writable;	  /* one is made where the host has none any more */
};

struct rotate {
	int inotify; /* -1 where there is nothing to watch */
	struct rotate_file *files;
	size_t n;
};
#define ROTATE_INIT                                                                                \
	{                                                                                          \
		.inotify = -1                                                                      \
	}
#define CLEANUP_ROTATE CLEANUP(rotate_done)

/* Begins to watch. What is mounted is read off the jail. */
void rotate_open(struct rotate *ro, const struct rotate_spec *v, size_t n, const struct run *r);

/* To be called when the descriptor is readable, and after rotate_wait() milliseconds. */
void rotate_serve(struct rotate *ro, const struct run *r);

/* How long until rotate_serve() has something to do by itself; -1: nothing. */
int rotate_wait(const struct rotate *ro);

void rotate_done(struct rotate *ro);
