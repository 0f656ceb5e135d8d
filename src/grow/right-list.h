/* SPDX-License-Identifier: MIT */
/* Rights: what a run needed to be allowed, and later what a jail may do (jail/policy.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

/* PHASE_ERRAND: by a command of the spec around the service, whenever that was. */
enum phase { PHASE_START, PHASE_EXERCISE, PHASE_STOP, PHASE_ERRAND };

/* "start", "exercise", "stop"; and back, -1 where it is none of them. */
const char *phase_name(enum phase p);
int phase_find(const char *name);

/* Something that a run needed to be allowed, confine/walls.h, in the words of `immure why`:
 * "CAP_SETUID", "ptrace()", "tcp:80" (bound; "tcp:0": whatever is free), "connect:tcp:25",
 * "AF_PACKET", "protocol:132" (of internet sockets), "set-id:/usr/bin/su" (a program that changed
 * its user by being executed), "set-id-modes" (chmod u+s), "leases" (fcntl F_SETLEASE), "32-bit"
 * (calls of the companion architecture), "proc" (what /proc has besides processes). */
struct right {
	char *name;
	char *why; /* of the first time: "setuid(33)" */
	char *by;  /* the program; "" where unknown */
	enum phase phase;
};

struct right_list {
	struct right *v; /* each name once */
	size_t n;
};
#define RIGHT_LIST_INIT                                                                            \
	{                                                                                          \
		.v = NULL                                                                          \
	}
#define CLEANUP_RIGHT_LIST CLEANUP(right_list_done)
void right_list_done(struct right_list *l);

const struct right *right_list_find(const struct right_list *l, const char *name);

/* Adds a copy of the right unless it is there; true where it was new. */
bool right_list_add(struct right_list *l, const char *name, const char *why, const char *by,
		    enum phase phase);
void right_list_sort(struct right_list *l); /* by name */
