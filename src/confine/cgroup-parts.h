/* SPDX-License-Identifier: MIT */
/* The control group file systems that are mounted, cgroups(7); for the files about groups alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct hierarchy {
	char point[1024];  /* where it is mounted */
	char options[512]; /* of version 1: its controllers, or "name=..." */
	bool unified;	   /* version 2 */
};

#define HIERARCHIES_MAX 16

struct hierarchies {
	struct hierarchy v[HIERARCHIES_MAX];
	size_t n;
	const struct hierarchy *unified; /* the first of version 2, or NULL */
};

void hierarchies_read(struct hierarchies *ret);

struct cgroup_limits;

/* Writes what @l asks for into the files of the group @dir, which is in hierarchy @h. */
void cgroup_write(const char *dir, const struct hierarchy *h, const struct cgroup_limits *l);

/* Whether version 1 hierarchy @h is that of @controller. */
bool hierarchy_has(const struct hierarchy *h, const char *controller);

/* The number right in @dir/@file, or the one after @key where that is not NULL ("usage_usec 12");
 * -1 where there is none, or "max". */
long long cgroup_number(const char *dir, const char *file, const char *key);
