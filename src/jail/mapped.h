/* SPDX-License-Identifier: MIT */
/* Programs and libraries that processes of a jail still have in memory and that are not what the
 * jail's current generation has: what an update has replaced works on in them until a restart. */
#pragma once

#include "jail/layout.h"
#include "jail/running.h"

struct mapped {
	char *path; /* as the service sees it */
	pid_t pid;  /* the first that has it */
	char *name; /* that process's, as it calls itself */
	size_t others;
};

struct mapped_list {
	struct mapped *v;
	size_t n; /* at most MAPPED_MAX */
};
#define MAPPED_MAX     256
#define CLEANUP_MAPPED CLEANUP(mapped_done)
void mapped_done(struct mapped_list *l);

/* Looks at what is mapped to be executed by each process of running jail @r (proc(5), maps). @tree
 * (O_PATH) is the root of the current generation; what @l has from the host is replaced only where
 * the host has deleted it. What the service may write does not count: it makes and removes there
 * what it executes (Varnish its compiled configuration). */
void mapped_replaced(const struct running *r, int tree, const struct layout *l,
		     struct mapped_list *ret);
