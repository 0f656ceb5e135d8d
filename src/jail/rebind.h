/* SPDX-License-Identifier: MIT */
/* Keeps what a running jail shares with the host the same on both sides, where a mount alone does
 * not.
 *
 * A mount of one file shows one inode for ever. When the host's log rotation renames
 * /var/log/NAME.log and makes a new one, the jail must get the new one: it is mounted in the place
 * of the old, so that a service that reopens its log after a HUP finds it. The jail gets a new one,
 * with the old one's owner and mode, as soon as the old one is gone; where nobody makes one on the
 * host (logrotate's nocreate), this one gets the name after a moment.
 *
 * In the place of a link to content stands a mount of what it led to. When the link has been turned
 * to another release, a reload mounts that instead; who has the old one open keeps it, as natively.
 */
#pragma once

#include "confine/run.h"
#include "jail/layout.h"
#include "jail/manifest.h"

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

/* Watches the single files of @l: written ones, accounts that are the host's own, and configuration
 * that is kept as it is. Only the first are made where the host has none. */
void rebind_open(struct rebind *rb, const struct layout *l);

/* To be called when the descriptor is readable, and after rebind_wait() milliseconds. */
void rebind_serve(struct rebind *rb, const struct run *r);

/* To be called at a reload: links that lead elsewhere now. One that leads nowhere stays as it was.
 */
void rebind_links(struct rebind *rb, const struct run *r);

/* Mounts @p, which the jail has a place for and nothing on it yet, from the host. 0 or -errno. */
int rebind_add(const struct provision *p, const struct run *r);

/* To be called at a reload: covers foreign keys that are new, and uncovers what has become the
 * service's own. @m and @dir are the generation's. 0 or -errno. */
int rebind_masks(const struct layout *l, const struct manifest *m, const char *dir,
		 const struct run *r, struct err *e);

/* How long until rebind_serve() has something to do by itself; -1: nothing. */
int rebind_wait(const struct rebind *rb);

void rebind_done(struct rebind *rb);
