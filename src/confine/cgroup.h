/* SPDX-License-Identifier: MIT */
/* A control group of our own for one run, on whatever the host has: version 2, version 1, both.
 *
 * The group stands at the top of the hierarchies under one name: in that of version 2, where it can
 * be frozen (confine/freezer.h) whatever controllers there are, and in those of version 1 that hold
 * one of the limits. What the host lacks (no controller, not ours to write) is passed over: limits
 * on a throw-away run protect the host, they are no wall. cgroup_holds() says what came of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

#define CGROUP_MAX 8

struct cgroup {
	char *dirs[CGROUP_MAX]; /* one a hierarchy */
	size_t n;
	const char *unified; /* the one of version 2 among them, or NULL */
};
#define CGROUP_INIT                                                                                \
	{                                                                                          \
		.n = 0                                                                             \
	}
#define CLEANUP_CGROUP CLEANUP(cgroup_remove)

struct cgroup_limits {
	long long memory;		  /* bytes, 0: none */
	long processes;			  /* 0: none */
	unsigned weight;		  /* of cgroup v2: 1 to 10000, 100 is normal; 0: as it is */
	unsigned io_weight;		  /* the same of its disks */
	long long memory_high;		  /* bytes, from where on it is slowed down; 0: none */
	long long memory_low, memory_min; /* that it keeps where others want memory; 0: none */
	long long swap;			  /* bytes, where swap_set */
	bool swap_set;
	long quota;  /* microseconds of processor time in each period; 0: none */
	long period; /* microseconds, where there is a quota */
};

/* The memory of this host, in bytes. */
long long cgroup_host_memory(void);

/* Makes the group @name (one component) with the limits. Never fails: ret->n says how many
 * hierarchies have it. */
void cgroup_make(const char *name, const struct cgroup_limits *limits, struct cgroup *ret);

/* A group of version 2 below the one that the caller is in: of whoever manages that one, an init
 * system, it takes nothing away. @point is where version 2 is mounted. Never fails: ret->n is 0 or
 * 1. */
void cgroup_make_below(const char *point, const char *name, struct cgroup *ret);

/* Where that is, new; NULL where this host has none. */
char *cgroup_point(void);

/* The group of a run, where an earlier one of that name may have been left, frozen even: as
 * cgroup_make_below() where @below says so and that can be, else as cgroup_make(). */
void cgroup_make_anew(const char *name, bool below, const struct cgroup_limits *limits,
		      struct cgroup *ret);

/* Whether every limit that @limits has stands in one of its hierarchies, read back: memory,
 * processes, quota. All else are wishes. */
bool cgroup_holds(const struct cgroup *c, const struct cgroup_limits *limits);

/* Adds the directives of the wishes in @limits that this host has no control group for. */
void cgroup_wishes_in_vain(const struct cgroup_limits *limits, struct strv *ret);

/* Takes hold of the group @name that another has made, wherever it stands. */
void cgroup_find(const char *name, struct cgroup *ret);

/* Takes hold of the group @name that process @pid is in, wherever that stands. */
void cgroup_of(pid_t pid, const char *name, struct cgroup *ret);

/* Puts process @pid into it; its children follow. The first one for some time costs ten
 * milliseconds (the kernel waits for all processors); a process that is made in the group
 * (CLONE_INTO_CGROUP) costs nothing, and needs only the others than `unified`. */
void cgroup_enter(const struct cgroup *c, pid_t pid);
void cgroup_enter_others(const struct cgroup *c, pid_t pid);

/* Lets go of a group that stays. Frees. */
void cgroup_forget(struct cgroup *c);

/* Removes it; its processes must be gone (a moment of patience is had). Frees. */
void cgroup_remove(struct cgroup *c);
