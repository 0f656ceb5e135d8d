/* SPDX-License-Identifier: MIT */
#include "jail/resources.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "spec/values.h"

static long long all_memory(void)
{
	return (long long)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

static long long all_numbers(void)
{
	long long n = 0;
	FILE *f = fopen("/proc/sys/kernel/pid_max", "re");

	if (f && fscanf(f, "%lld", &n) != 1)
		n = 0;
	if (f)
		fclose(f);
	return n;
}

/* 0 where the key is not there, or says "infinity". The text was checked when the spec was read. */
static long long limit_of(const struct spec *s, const char *key, long long (*all)(void))
{
	const struct setting *set = spec_find(s, SPEC_SERVICE, key);
	rlim_t bytes = 0;

	if (!set || !*set->value)
		return 0;
	if (str_ends(set->value, "%"))
		return (long long)(strtod(set->value, NULL) / 100 * (double)all());
	return value_size(set->value, &bytes, NULL) == 0 && bytes != RLIM_INFINITY
		   ? (long long)bytes
		   : 0;
}

bool resources_of(const struct spec *s, struct cgroup_limits *ret)
{
	ret->memory = limit_of(s, "MemoryMax", all_memory);
	ret->processes = (long)limit_of(s, "TasksMax", all_numbers);
	return ret->memory || ret->processes;
}
