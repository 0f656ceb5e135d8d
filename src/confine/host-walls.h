/* SPDX-License-Identifier: MIT */
/* What this kernel can enforce: each wall is tried, not asked for by version, since distributions
 * carry features back and containers take them away. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum host_wall_kind {
	WALL_REQUIRED, /* without it nothing is started */
	WALL_EXTRA,    /* a jail holds without it; summary and status name it */
};

struct host_wall {
	const char *name;
	enum host_wall_kind kind;
	const char *since;			   /* the Linux version that brought it */
	int (*attempt)(const struct host_wall *w); /* in a child of its own; 0 or -errno */
};

/* All of them, in the order in which they are shown. Static. */
const struct host_wall *host_walls(size_t *ret_n);

/* Tries @w in a forked child, which leaves nothing behind. 0: this host has it; else -errno, for
 * -ETIME no answer within ten seconds. The caller is root. */
int host_wall_try(const struct host_wall *w);
