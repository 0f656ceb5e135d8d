/* SPDX-License-Identifier: MIT */
/* A control group of our own for one run, on whatever the host has: version 2, version 1, both.
 *
 * The group stands at the top of each hierarchy under one name; what the host lacks (no controller,
 * not ours to write) is passed over: limits on a throw-away run protect the host, they are no wall.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

#define CGROUP_MAX 8

struct cgroup {
	char *dirs[CGROUP_MAX]; /* one a hierarchy */
	size_t n;
};
#define CGROUP_INIT                                                                                \
	{                                                                                          \
		.n = 0                                                                             \
	}
#define CLEANUP_CGROUP CLEANUP(cgroup_remove)

struct cgroup_limits {
	long long memory; /* bytes, 0: none */
	long processes;	  /* 0: none */
	unsigned weight;  /* of cgroup v2: 1 to 10000, 100 is normal; 0: as it is */
};

/* The memory of this host, in bytes. */
long long cgroup_host_memory(void);

/* Makes the group @name (one component) with the limits. Never fails: ret->n says how many
 * hierarchies have it. */
void cgroup_make(const char *name, const struct cgroup_limits *limits, struct cgroup *ret);

/* A group of version 2 below the one that the caller is in: of whoever manages that one, an init
 * system, it takes nothing away. Never fails: ret->n is 0 or 1. */
void cgroup_make_below(const char *name, struct cgroup *ret);

/* Whether every limit that @limits has stands in one of its hierarchies, read back. */
bool cgroup_holds(const struct cgroup *c, const struct cgroup_limits *limits);

/* Takes hold of the group @name that another has made, wherever it stands. */
void cgroup_find(const char *name, struct cgroup *ret);

/* The groups called @name, wherever they stand, that process @pid is in. */
void cgroup_of(pid_t pid, const char *name, struct cgroup *ret);

/* Puts process @pid into it; its children follow. */
void cgroup_enter(const struct cgroup *c, pid_t pid);

/* Removes it; its processes must be gone (a moment of patience is had). Frees. */
void cgroup_remove(struct cgroup *c);

/* Frees, and leaves the group where it is. */
void cgroup_forget(struct cgroup *c);
