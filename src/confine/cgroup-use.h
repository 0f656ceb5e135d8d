/* SPDX-License-Identifier: MIT */
/* What the processes of a control group use, and what they may. */
#pragma once

#include "confine/cgroup.h"

/* -1: nothing here counts, or limits, that. */
struct cgroup_use {
	long long memory, memory_max; /* bytes, with the cache of the files that they touched */
	long long tasks, tasks_max;   /* processes and threads */
	double cpu;		      /* seconds of processor time since the group was made */
	double cpu_max;		      /* processors: 0.5 is half of one */
	long long cpu_weight;	      /* of version 2: 100 is normal */
};

void cgroup_use(const struct cgroup *c, struct cgroup_use *ret);
