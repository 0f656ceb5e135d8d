/* SPDX-License-Identifier: MIT */
#include "jail/resources.h"

#include <stdlib.h>

#include "base/str.h"
#include "base/sysctl.h"
#include "spec/values.h"

static long long all_numbers(void)
{
	return sysctl_number("kernel/pid_max", 0);
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
	ret->memory = limit_of(s, "MemoryMax", cgroup_host_memory);
	ret->processes = (long)limit_of(s, "TasksMax", all_numbers);
	return ret->memory || ret->processes;
}

static void add_ranges(struct prefix_list *l, const struct strv *words)
{
	for (size_t i = 0; i < words->n; i++)
		if (!streq(words->v[i], "none"))
			prefix_add(l, words->v[i], NULL); /* checked when the spec was read */
}

bool peers_of(const struct spec *s, struct peers *ret)
{
	add_ranges(&ret->allow, &s->ip_allow);
	add_ranges(&ret->deny, &s->ip_deny);
	add_ranges(&ret->connect_to, &s->connect_to);
	ret->limits_connects = s->connect_to.n > 0;
	return peers_limited(ret);
}
