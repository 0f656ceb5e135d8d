/* SPDX-License-Identifier: MIT */
/* What `build` and `prove` do alike: twins of one spec in one scratch directory, and the first of
 * them, natively and watched, with all that keeps it from the real service's data. */
#pragma once

#include "jail/scratch.h"
#include "jail/twin.h"

/* Told what is being done, for people who wait; may be NULL. */
typedef void (*trial_progress)(const char *what);

/* Borrows all of it. */
struct trial {
	const struct spec *spec;
	const struct scratch *scratch;
	trial_progress progress;
	int host;		      /* O_PATH "/" */
	struct layout *layout;	      /* of the watched run, which derives it */
	struct record *watched;	      /* what that run did */
	const struct user_files *own; /* or NULL */
	struct probe *probe;	      /* the default exercise, where the spec has none */
};

/* Runs @t in the directory @dir of the scratch, which goes with it. */
int trial_run(const struct trial *tr, struct twin *t, const char *dir, struct twin_report *ret,
	      struct err *e);

/* The first run. What the default exercise consists of, and which steps reach the service at all,
 * is seen that way only. State that is in use stops it, before and after; with the host's network a
 * scout without any tells first which state could be acted upon outside. */
int trial_first(const struct trial *tr, struct twin_report *ret, struct err *e);

/* Start to stop. */
double trial_seconds(const struct twin_report *r);
