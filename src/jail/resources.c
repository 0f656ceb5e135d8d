/* SPDX-License-Identifier: MIT */
#include "jail/resources.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fnv.h"
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

/* "CPUQuota=150%" of one processor, in each CPUQuotaPeriodSec=. As systemd does, the period is at
 * most a second, and long enough for the millisecond that the kernel wants a quota to have. */
static void take_quota(const struct spec *s, struct cgroup_limits *ret)
{
	const struct setting *quota = spec_find(s, SPEC_SERVICE, "CPUQuota");
	const struct setting *period = spec_find(s, SPEC_SERVICE, "CPUQuotaPeriodSec");
	double part = quota ? strtod(quota->value, NULL) / 100 : 0, seconds = 0;

	if (part <= 0)
		return;
	if (!period || value_time(period->value, 1, &seconds, NULL) < 0 || seconds <= 0)
		seconds = 0.1;
	if (seconds < 0.001 || seconds * part < 0.001)
		seconds = part < 1 ? 0.001 / part : 0.001;
	ret->period = (long)((seconds < 1 ? seconds : 1) * 1e6);
	ret->quota = (long long)(part * (double)ret->period);
}

/* 1 to 10000, or 0 where the key is not there. */
static unsigned weight_of(const struct spec *s, const char *key)
{
	const struct setting *set = spec_find(s, SPEC_SERVICE, key);

	if (!set || !*set->value)
		return 0;
	return streq(set->value, "idle") ? 1 : (unsigned)strtoul(set->value, NULL, 10);
}

/* Nothing at all is a limit, too. */
static void take_swap(const struct spec *s, struct cgroup_limits *ret)
{
	const struct setting *set = spec_find(s, SPEC_SERVICE, "MemorySwapMax");

	ret->swap = limit_of(s, "MemorySwapMax", cgroup_host_memory);
	ret->swap_set = set && *set->value && !streq(set->value, "infinity");
}

bool resources_of(const struct spec *s, struct cgroup_limits *ret)
{
	ret->memory = limit_of(s, "MemoryMax", cgroup_host_memory);
	ret->memory_high = limit_of(s, "MemoryHigh", cgroup_host_memory);
	ret->memory_low = limit_of(s, "MemoryLow", cgroup_host_memory);
	ret->memory_min = limit_of(s, "MemoryMin", cgroup_host_memory);
	ret->processes = (long)limit_of(s, "TasksMax", all_numbers);
	ret->weight = weight_of(s, "CPUWeight");
	ret->io_weight = weight_of(s, "IOWeight");
	take_swap(s, ret);
	take_quota(s, ret);
	return ret->memory || ret->memory_high || ret->memory_low || ret->memory_min ||
	       ret->processes || ret->quota || ret->weight || ret->io_weight || ret->swap_set;
}

void resources_notes(const struct spec *s, struct strv *ret)
{
	struct cgroup_limits limits = {0};
	struct strv keys CLEANUP_STRV = STRV_INIT;

	if (resources_of(s, &limits))
		cgroup_wishes_in_vain(&limits, &keys);
	for (size_t i = 0; i < keys.n; i++)
		strv_take(ret, xasprintf("%s= has no effect under immure start: this host has no "
					 "control group that could",
					 keys.v[i]));
}

char *resources_group_name(const struct dirs *d, const char *name)
{
	if (streq(d->run, "/run/immure"))
		return xasprintf("immure-%s", name);
	return xasprintf("immure-%s.%08x", name, (unsigned)fnv(d->run, strlen(d->run)));
}

int resources_group(const struct dirs *d, const struct spec *s, bool background, struct cgroup *ret,
		    struct err *e)
{
	CLEANUP_STR char *name = resources_group_name(d, s->name);
	struct cgroup_limits limits = {0};
	struct peers peers CLEANUP_PEERS = {0};

	if (background)
		resources_of(s, &limits);
	cgroup_make_anew(name, !background, &limits, ret);
	if (!cgroup_holds(ret, &limits))
		return err_set(e, -EOPNOTSUPP,
			       "%s: MemoryMax=, TasksMax= or CPUQuota= cannot be enforced: this "
			       "host has no control group for it (immure check --host: "
			       "cgroup-limits)",
			       s->name);
	return peers_of(s, &peers) ? peers_enforce(&peers, ret, e) : 0;
}

static void add_ranges(struct prefix_list *l, const struct strv *words)
{
	for (size_t i = 0; i < words->n; i++)
		if (!streq(words->v[i], "none"))
			prefix_add(l, words->v[i], NULL); /* checked when the spec was read */
}

static void add_rules(struct bind_rules *l, const struct strv *words)
{
	for (size_t i = 0; i < words->n; i++)
		bind_rule_add(l, words->v[i], NULL);
}

bool peers_of(const struct spec *s, struct peers *ret)
{
	add_ranges(&ret->allow, &s->ip_allow);
	add_ranges(&ret->deny, &s->ip_deny);
	add_ranges(&ret->connect_to, &s->connect_to);
	ret->limits_connects = s->connect_to.n > 0;
	add_rules(&ret->bind_allow, &s->bind_allow);
	add_rules(&ret->bind_deny, &s->bind_deny);
	return peers_limited(ret);
}
