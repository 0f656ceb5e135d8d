/* SPDX-License-Identifier: MIT */
/* Foresight measured against the runs: what it cost, what it missed, what nobody needed yet. */
#pragma once

#include "jail/foreseen.h"
#include "jail/manifest.h"

struct recall {
	struct cost exact;    /* files that the runs used */
	struct cost foreseen; /* files that only foresight brings (or would: Closure=exact) */
	size_t met;	      /* used files that were foreseen too */
	struct strv missed;   /* used files that were not */
};
#define RECALL_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_RECALL CLEANUP(recall_done)
void recall_done(struct recall *r);

/* Only regular files that the generation holds (or would) count. @l are its binds. */
void recall_measure(const struct manifest *m, const struct foresight *f, const struct layout *l,
		    struct recall *ret);
