/* SPDX-License-Identifier: MIT */
#include "confine/cgroup-use.h"

#include <limits.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/str.h"
#include "confine/cgroup-parts.h"

/* cgroups(7), and Documentation/admin-guide/cgroup-v1/memory.rst: no limit of version 1 reads as
 * the largest number of pages. */
#define NO_LIMIT (LLONG_MAX / 2)

/* The first that a group of @c has of these files. */
static long long first(const struct cgroup *c, const char *v1, const char *v2, const char *key)
{
	long long found = -1;

	for (size_t i = 0; i < c->n && found < 0; i++) {
		bool unified = c->dirs[i] == c->unified;
		const char *file = unified ? v2 : v1;
		found = file ? cgroup_number(c->dirs[i], file, unified ? key : NULL) : -1;
	}
	return found >= NO_LIMIT ? -1 : found;
}

/* cpu.max of version 2 is "QUOTA PERIOD", or "max PERIOD". */
static double processors(const struct cgroup *c)
{
	long long quota = first(c, "cpu.cfs_quota_us", "cpu.max", NULL);
	long long period = first(c, "cpu.cfs_period_us", NULL, NULL);

	if (quota < 0)
		return -1;
	if (period < 0 && c->unified) {
		CLEANUP_STR char *key = xasprintf("%lld ", quota);
		period = cgroup_number(c->unified, "cpu.max", key);
	}
	return period > 0 ? (double)quota / (double)period : -1;
}

void cgroup_use(const struct cgroup *c, struct cgroup_use *ret)
{
	long long used = first(c, "cpuacct.usage", "cpu.stat", "usage_usec");
	long long shares = first(c, "cpu.shares", NULL, NULL);

	*ret = (struct cgroup_use){
	    .memory = first(c, "memory.usage_in_bytes", "memory.current", NULL),
	    .memory_max = first(c, "memory.limit_in_bytes", "memory.max", NULL),
	    .tasks = first(c, "pids.current", "pids.current", NULL),
	    .tasks_max = first(c, "pids.max", "pids.max", NULL),
	    .cpu = used < 0 ? -1 : (double)used / 1e6,
	    .cpu_max = processors(c),
	    .cpu_weight = shares < 0 ? first(c, NULL, "cpu.weight", NULL) : shares * 100 / 1024,
	};
}
