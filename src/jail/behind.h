/* SPDX-License-Identifier: MIT */
/* How far a jail is behind the packages of its host. */
#pragma once

#include "host/packages.h"
#include "jail/manifest.h"

/* A package of which the host has another version than the jail. */
struct behind {
	char *package, *jail, *host; /* name, versions */
	long hours;		     /* since the host has it, by its files */
};

struct behind_list {
	struct behind *v; /* sorted by package */
	size_t n;
};
#define CLEANUP_BEHIND CLEANUP(behind_done)
void behind_done(struct behind_list *l);

/* Adds those of which a file that @m has a copy of is not the host's any more. @host is an O_PATH
 * "/"; *packages is opened where it is NULL and needed, and stays the caller's. */
void behind_find(const struct manifest *m, int host, struct packages **packages,
		 struct behind_list *ret);

/* Whole hours since the file at the entry's path, or where there is none its directory, was
 * changed. */
long behind_hours(int host, const char *path);

/* "for 5 h", "for less than an hour"; new. */
char *behind_since(long hours);
