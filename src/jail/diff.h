/* SPDX-License-Identifier: MIT */
/* Two generations of a jail, held against each other. */
#pragma once

#include "jail/generation.h"

enum change_kind { CHANGE_ADDED, CHANGE_REMOVED, CHANGE_CHANGED };

struct change_row {
	enum change_kind kind;
	char *what; /* a path; "package NAME"; "right NAME"; "spec" */
	char *text; /* "3.0.17 to 3.0.18", "mode 0644 to 0600"; "" */
};

struct changes {
	struct change_row *v;
	size_t n;
};
#define CLEANUP_CHANGES CLEANUP(changes_done)
void changes_done(struct changes *c);

/* From @a to @b: packages first, then rights, then paths, each sorted. */
int diff_generations(const struct generation *a, const struct generation *b, struct changes *ret,
		     struct err *e);
