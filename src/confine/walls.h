/* SPDX-License-Identifier: MIT */
/* What confines a run beyond its root and its namespaces, as data. A plan borrows it; jail/policy.h
 * makes it out of what growth has learnt, together with the plan's filter, whose refused calls go
 * to a listener that counts and refuses them (refusals.h); without one the kernel says ENOSYS.
 * Carried out by child.c and init.c, in the order that the head of child.c gives.
 *
 * Required walls stop a start where the kernel lacks them; Landlock is an extra one: where this
 * kernel has less of it, less is set up, and landlock_missing() names what. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct landlock;
struct sock_fprog;

struct walls {
	uint64_t capabilities;		 /* 1 << CAP_*: all that any process inside can ever have */
	bool proc_pids;			 /* its /proc has processes alone, proc(5): subset=pid */
	bool no_new_privs;		 /* set-id programs and file capabilities give nothing */
	const struct landlock *landlock; /* or NULL */
	/* Loaded last of all, by commands that do not keep the rights of the start: what the
	 * launcher still had to call and the service may not; or NULL. Takes no_new_privs. */
	const struct sock_fprog *last;
};
