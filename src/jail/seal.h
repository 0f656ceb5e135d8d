/* SPDX-License-Identifier: MIT */
/* Freezes what foresight and growth have learnt: a fresh tree laid from the host, and its manifest.
 *
 * The grown tree itself is not used: the service that ran in it may have been hostile, and what it
 * left there is not evidence. The record says which paths; the host says what they are. */
#pragma once

#include "base/err.h"
#include "foresee/foresee.h"
#include "grow/record.h"
#include "jail/layout.h"
#include "jail/manifest.h"
#include "jail/user-files.h"
#include "spec/spec.h"

struct seal {
	const struct spec *spec;
	const struct layout *layout;
	const struct record *baseline, *growth;
	struct foresight *foresight;	 /* accounts are added */
	const struct user_files *own;	 /* or NULL */
	const struct evidence *packages; /* Closure=package: what is taken besides; else NULL */
};

/* Files that the service asked for but may not read by the host's own rules (a user without rights
 * that looks at /etc/shadow) are laid without their content.
 *
 * Makes DIR/root and fills @ret; DIR exists and is empty. */
int seal_make(const struct seal *s, const char *dir, struct manifest *ret, struct err *e);

/* The class of canonical @path below @root, which is copied. */
enum jail_class seal_class(int root, const char *path, const struct stat *st);
