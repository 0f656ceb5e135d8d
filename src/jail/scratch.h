/* SPDX-License-Identifier: MIT */
/* The directory of a build under way, STATE/tmp/NAME.XXXXXX, its control group, and the sure
 * removal of both. */
#pragma once

#include "base/err.h"
#include "confine/cgroup.h"
#include "keep/dirs.h"

struct scratch {
	char *path;	      /* absolute */
	int lock;	      /* held while the build lives */
	struct cgroup cgroup; /* for all its twins: they may not take the host's memory or pids */
};
#define SCRATCH_INIT                                                                               \
	{                                                                                          \
		.lock = -1                                                                         \
	}

/* Makes one, after removing those whose builds have died. */
int scratch_make(const struct dirs *d, const char *name, struct scratch *ret, struct err *e);

/* A new empty directory in it; its path, the caller's. */
int scratch_dir(const struct scratch *s, const char *name, char **ret, struct err *e);

/* Removes it with all it holds. Safe on SCRATCH_INIT, and twice. */
void scratch_remove(struct scratch *s);
