/* SPDX-License-Identifier: MIT */
/* Resolves a path as the calling thread would, component by component.
 *
 * path_resolution(7) is the reference: from the thread's own root (services chroot), cwd or
 * directory descriptor; ".." stops at the root; a link is followed from where it stands, an
 * absolute one from the thread's root; at most 40 links. Every component and link met on the way is
 * looked up in the tree, and with that faulted into it. /proc is not walked: its self and magic
 * links are translated by what they mean for the thread. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "grow/tree.h"

struct origin {
	pid_t tid;	  /* the thread, for /proc/self */
	unsigned program; /* its program's number in the record */
	const char *root; /* its root, canonical */
	const char *base; /* where a relative path starts, canonical */
};

enum walk_result {
	WALK_THERE,
	WALK_MISSING, /* the last component, or one before it: ret->path says how far it got */
	WALK_LATER,
	WALK_NOWHERE, /* not a path of the tree: /proc, too many links, too long */
};

struct walked {
	char path[4096]; /* canonical; where missing: the first component that is not there */
	bool via_proc;	 /* it led through the thread's own /proc links: no other's path */
	bool last;	 /* whether that is the last component */
	mode_t type;
	struct touch *touch;
};

enum walk_result walk(struct tree *t, const struct origin *o, const char *path, bool follow,
		      struct walked *ret);
