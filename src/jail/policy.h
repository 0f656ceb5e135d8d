/* SPDX-License-Identifier: MIT */
/* The policy: what a jail's service may do, each right with what it was needed for.
 *
 * Learnt in baseline and growth (grow/rights.h), added to by the spec's Rights=, narrowed by what
 * the unit asked for (CapabilityBoundingSet=, and jail/hardening.h). Written at the seal as
 * policy.json beside the manifest: an array of {right, why, by, phase}, sorted by right. A start
 * makes the walls of confine/walls.h out of it. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "confine/calls-policy.h"
#include "confine/landlock.h"
#include "confine/walls.h"
#include "grow/record.h"
#include "jail/layout.h"
#include "jail/manifest.h"
#include "spec/spec.h"

/* Ports that only one of the two runs bound change from run to run: "tcp:any" stands for them. */
void policy_learn(struct right_list *ret, const struct record *baseline,
		  const struct record *growth);

struct library_files;

/* For a service that keeps running as root: adds what the programs that @run executed import the
 * functions for, though no run came to call them. A login server whose exercise logged nobody in
 * must still become somebody. @files are the host's. */
void policy_foresee(struct right_list *p, const struct record *run, struct library_files *files);

/* Whom a mail server writes to, and what a proxy stands for, is its configuration's to say: where a
 * program or library of the jail imports connect(2), TCP connects are free. */
void policy_foresee_connects(struct right_list *p, const struct manifest *m,
			     struct library_files *files);

/* What is read in /proc is mostly known at run time only: all of it may be. */
void policy_foresee_proc(struct right_list *p);

/* Adds what follows from the directories of the host that the jail has: programs that were executed
 * in places that are written, and ports that a configuration of the host's may come to name. */
void policy_places(struct right_list *p, const struct layout *l, const struct record *baseline,
		   const struct record *growth);

int policy_write(const struct right_list *p, int dir, struct err *e);
int policy_load(int dir, struct right_list *ret, struct err *e);

/* Whether @right is a word of that language: "CAP_CHOWN", "ptrace()", "AF_PACKET", "protocol:132",
 * "tcp:80", "connect:tcp:25", "exec:/dir" (a writable place), "set-id:/path", "set-id-modes",
 * "leases", "32-bit", "proc". Else -EINVAL with a remedy. */
int policy_check_right(const char *right, struct err *e);

/* "tcp:80", "connect:udp:53" and the like. */
bool policy_is_port(const char *right);

/* What confines a run: memory that the walls point into. Borrowed by a plan. */
struct confinement {
	struct walls walls;
	struct landlock landlock;
	struct sock_fprog filter, last; /* last.len 0: there is none */
	uint16_t *bind;
	struct strv execute;
	struct packed *packed; /* that owns what the rest borrows, of one that was loaded */
	int launcher;
};
#define CONFINEMENT_INIT                                                                           \
	{                                                                                          \
		.launcher = -1                                                                     \
	}
#define CLEANUP_CONFINEMENT CLEANUP(confinement_done)
void confinement_done(struct confinement *c);

/* Of @s counts what it adds and what it narrows. @ret is not to be moved: its walls point into it.
 */
int confinement_make(const struct right_list *p, const struct spec *s, struct confinement *ret,
		     struct err *e);

/* The compiled form, policy.bin beside policy.json: written at the seal, so that a start neither
 * parses the one nor generates a filter. It is bound to policy.json and to the spec it was made of
 * by their hash. confinement_load() is -ENOENT, without a message, where there is none, and -ESTALE
 * where another version of immure has compiled it: a start then makes it of policy.json, which
 * counts, each time. */
int confinement_save(const struct confinement *c, int dir, const char *spec_text, struct err *e);
int confinement_load(int dir, const char *spec_text, struct confinement *ret, struct err *e);

/* Puts it around what @p starts, which borrows it; immure-launch is to carry it out. */
int confinement_apply(struct confinement *c, struct plan *p, struct err *e);

/* The capabilities of AmbientCapabilities=, for twins too. */
uint64_t policy_ambient(const struct spec *s);
