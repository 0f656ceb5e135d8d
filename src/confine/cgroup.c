/* SPDX-License-Identifier: MIT */
#include "confine/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "confine/cgroup-parts.h"
#include "confine/freezer.h"

enum setting {
	SET_MEMORY,
	SET_HIGH,
	SET_LOW,
	SET_MIN,
	SET_SWAP,
	SET_PROCESSES,
	SET_WEIGHT,
	SET_PERIOD,
	SET_QUOTA,
	SET_IO_WEIGHT,
	SETTINGS
};

/* The directive of each, systemd.resource-control(5); and whether it limits: else it is a wish, and
 * what the host lacks of it is no reason not to start. */
static const struct {
	const char *key;
	bool limits;
} settings[SETTINGS] = {
    [SET_MEMORY] = {"MemoryMax", true},	   [SET_HIGH] = {"MemoryHigh", false},
    [SET_LOW] = {"MemoryLow", false},	   [SET_MIN] = {"MemoryMin", false},
    [SET_SWAP] = {"MemorySwapMax", false}, [SET_PROCESSES] = {"TasksMax", true},
    [SET_WEIGHT] = {"CPUWeight", false},   [SET_PERIOD] = {"CPUQuotaPeriodSec", false},
    [SET_QUOTA] = {"CPUQuota", true},	   [SET_IO_WEIGHT] = {"IOWeight", false},
};

/* Weights of version 1, and of the scheduler bfq, have other ranges: as systemd converts them. */
static long long to_shares(long long weight)
{
	return weight * 1024 / 100;
}

static long long to_blkio(long long weight)
{
	long long v = weight * 500 / 100;

	return v < 10 ? 10 : v > 1000 ? 1000 : v;
}

static long long to_bfq(long long weight)
{
	return weight <= 100 ? weight : 100 + (weight - 100) * (1000 - 100) / (10000 - 100);
}

/* cgroups(7), Documentation/admin-guide/cgroup-v2.rst: which file holds what. One of version 1 is
 * in the hierarchy of its controller; version 2 has them all in one directory, where the controller
 * is enabled. cpu.max is "QUOTA PERIOD". memory.soft_limit_in_bytes of version 1 is no memory.high:
 * it throttles nobody. */
static const struct {
	const char *controller, *name;
	bool unified;
	enum setting what;
	long long (*convert)(long long);
} files[] = {
    {"memory", "memory.limit_in_bytes", false, SET_MEMORY, NULL},
    {"memory", "memory.max", true, SET_MEMORY, NULL},
    {"memory", "memory.high", true, SET_HIGH, NULL},
    {"memory", "memory.low", true, SET_LOW, NULL},
    {"memory", "memory.min", true, SET_MIN, NULL},
    {"memory", "memory.swap.max", true, SET_SWAP, NULL},
    {"pids", "pids.max", false, SET_PROCESSES, NULL},
    {"pids", "pids.max", true, SET_PROCESSES, NULL},
    {"cpu", "cpu.shares", false, SET_WEIGHT, to_shares},
    {"cpu", "cpu.weight", true, SET_WEIGHT, NULL},
    {"cpu", "cpu.cfs_period_us", false, SET_PERIOD, NULL},
    {"cpu", "cpu.cfs_quota_us", false, SET_QUOTA, NULL},
    {"cpu", "cpu.max", true, SET_QUOTA, NULL},
    {"blkio", "blkio.weight", false, SET_IO_WEIGHT, to_blkio},
    {"blkio", "blkio.bfq.weight", false, SET_IO_WEIGHT, to_bfq},
    {"io", "io.weight", true, SET_IO_WEIGHT, NULL},
    {"io", "io.bfq.weight", true, SET_IO_WEIGHT, to_bfq},
};

/* -1 where it is not asked for. */
static long long value_of(const struct cgroup_limits *l, enum setting what)
{
	const long long values[SETTINGS] = {
	    [SET_MEMORY] = l->memory,
	    [SET_HIGH] = l->memory_high,
	    [SET_LOW] = l->memory_low,
	    [SET_MIN] = l->memory_min,
	    [SET_SWAP] = l->swap_set ? l->swap : -1,
	    [SET_PROCESSES] = l->processes,
	    [SET_WEIGHT] = l->weight,
	    [SET_PERIOD] = l->quota ? l->period : 0,
	    [SET_QUOTA] = l->quota,
	    [SET_IO_WEIGHT] = l->io_weight,
	};

	return values[what] || (what == SET_SWAP && l->swap_set) ? values[what] : -1;
}

static bool write_text(const char *dir, const char *file, const char *text)
{
	CLEANUP_STR char *path = path_join(dir, file);
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0;
}

/* In version 2 whoever has the group above says which controllers the ones below have. */
static void enable(const char *dir, const char *controller)
{
	CLEANUP_STR char *up = path_parent(dir);
	CLEANUP_STR char *text = xasprintf("+%s", controller);

	write_text(up, "cgroup.subtree_control", text);
}

static void write_limit(const char *dir, size_t i, long long value, const struct cgroup_limits *l)
{
	bool both = files[i].unified && files[i].what == SET_QUOTA;
	CLEANUP_STR char *text =
	    both ? xasprintf("%lld %ld", value, l->period)
		 : xasprintf("%lld", files[i].convert ? files[i].convert(value) : value);

	if (write_text(dir, files[i].name, text) || !files[i].unified)
		return;
	enable(dir, files[i].controller);
	write_text(dir, files[i].name, text);
}

void cgroup_write(const char *dir, const struct hierarchy *h, const struct cgroup_limits *l)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		long long value = value_of(l, files[i].what);
		if (value >= 0 && files[i].unified == h->unified &&
		    (h->unified || hierarchy_has(h, files[i].controller)))
			write_limit(dir, i, value, l);
	}
}

long long cgroup_host_memory(void)
{
	return (long long)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

static bool reads(const char *dir, const char *file, long long value)
{
	char text[32] = "";
	CLEANUP_STR char *path = path_join(dir, file);
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

	/* Memory is rounded down to pages. */
	return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && strtoll(text, NULL, 10) > 0 &&
	       strtoll(text, NULL, 10) <= value;
}

static bool held(const struct cgroup *c, enum setting what, long long value)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		for (size_t k = 0; files[i].what == what && k < c->n; k++)
			if (reads(c->dirs[k], files[i].name, value))
				return true;
	return false;
}

bool cgroup_holds(const struct cgroup *c, const struct cgroup_limits *limits)
{
	for (enum setting what = 0; what < SETTINGS; what++) {
		long long value = settings[what].limits ? value_of(limits, what) : -1;
		if (value >= 0 && !held(c, what, value))
			return false;
	}
	return true;
}

/* One hierarchy; without @l the group must be there already. */
static void add_group(struct cgroup *c, const struct hierarchy *h, const char *name,
		      const struct cgroup_limits *l)
{
	CLEANUP_STR char *dir = path_join(h->point, name);

	if (c->n == CGROUP_MAX || (l ? mkdir(dir, 0755) : access(dir, F_OK)) < 0)
		return;
	if (l)
		cgroup_write(dir, h, l);
	c->dirs[c->n] = steal_ptr(dir);
	if (h->unified)
		c->unified = c->dirs[c->n];
	c->n++;
}

static void find_in(const struct hierarchies *all, const char *name, struct cgroup *ret)
{
	*ret = (struct cgroup)CGROUP_INIT;
	for (size_t i = 0; i < all->n; i++)
		add_group(ret, &all->v[i], name, NULL);
}

void cgroup_find(const char *name, struct cgroup *ret)
{
	struct hierarchies all;

	hierarchies_read(&all);
	find_in(&all, name, ret);
}

/* What it is for: each hierarchy of version 1 costs a start its time. */
static bool wanted(const struct hierarchies *all, const struct hierarchy *h,
		   const struct cgroup_limits *l)
{
	if (h->unified || (!all->unified && hierarchy_has(h, "freezer")))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (!files[i].unified && value_of(l, files[i].what) >= 0 &&
		    hierarchy_has(h, files[i].controller))
			return true;
	return false;
}

static void make_in(const struct hierarchies *all, const char *name,
		    const struct cgroup_limits *limits, struct cgroup *ret)
{
	*ret = (struct cgroup)CGROUP_INIT;
	for (size_t i = 0; i < all->n; i++)
		if (wanted(all, &all->v[i], limits))
			add_group(ret, &all->v[i], name, limits);
}

/* Whether version 2 has @controller to give, of all that it could. */
static bool unified_has(const struct hierarchy *h, const char *controller)
{
	char text[512];
	CLEANUP_STR char *path = path_join(h->point, "cgroup.controllers");
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	struct strv words CLEANUP_STRV = STRV_INIT;

	text[n > 0 ? n : 0] = '\0';
	strv_split(&words, text, " \n");
	return strv_has(&words, controller);
}

static bool may_hold(const struct hierarchies *all, enum setting what)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		for (size_t k = 0; files[i].what == what && k < all->n; k++) {
			const struct hierarchy *h = &all->v[k];
			if (files[i].unified == h->unified &&
			    (h->unified ? unified_has(h, files[i].controller)
					: hierarchy_has(h, files[i].controller)))
				return true;
		}
	return false;
}

void cgroup_wishes_in_vain(const struct cgroup_limits *limits, struct strv *ret)
{
	struct hierarchies all;

	hierarchies_read(&all);
	for (enum setting what = 0; what < SETTINGS; what++)
		if (!settings[what].limits && value_of(limits, what) >= 0 && !may_hold(&all, what))
			strv_add(ret, settings[what].key);
}

void cgroup_make(const char *name, const struct cgroup_limits *limits, struct cgroup *ret)
{
	struct hierarchies all;

	hierarchies_read(&all);
	make_in(&all, name, limits, ret);
}

/* The caller's group of version 2, cgroups(7): "0::/a/b"; "/" where there is none. */
static char *own_group(void)
{
	char line[4096];
	char *own = NULL;
	FILE *f = fopen("/proc/self/cgroup", "re");

	while (f && !own && fgets(line, sizeof(line), f)) {
		const char *path = str_after(line, "0::");
		if (path)
			own = xstrndup(path, strcspn(path, "\n"));
	}
	if (f)
		fclose(f);
	return own ? own : xstrdup("/");
}

void cgroup_make_below(const char *point, const char *name, struct cgroup *ret)
{
	const struct cgroup_limits none = {0};
	CLEANUP_STR char *own = own_group();
	struct hierarchy h = {.unified = true};

	*ret = (struct cgroup)CGROUP_INIT;
	snprintf(h.point, sizeof(h.point), "%s%s", point, streq(own, "/") ? "" : own);
	CLEANUP_STR char *old = path_join(h.point, name);
	rmdir(old); /* what a killed supervisor left */
	add_group(ret, &h, name, &none);
}

char *cgroup_point(void)
{
	struct hierarchies all;

	hierarchies_read(&all);
	return all.unified ? xstrdup(all.unified->point) : NULL;
}

/* The hierarchy of a line of /proc/PID/cgroup, "4:memory:/a/b"; *ret_path is the group in it. */
static const struct hierarchy *hierarchy_of(const struct hierarchies *all, char *line,
					    const char **ret_path)
{
	char *rest = line;

	strsep(&rest, ":");
	const char *controllers = strsep(&rest, ":");
	if (!rest)
		return NULL;
	CLEANUP_STR char *first = xstrndup(controllers, strcspn(controllers, ","));
	*ret_path = rest;
	for (size_t i = 0; i < all->n; i++)
		if (*first ? hierarchy_has(&all->v[i], first) : all->v[i].unified)
			return &all->v[i];
	return NULL;
}

void cgroup_of(pid_t pid, const char *name, struct cgroup *ret)
{
	struct hierarchies all;
	char line[4096], file[32];
	const char *path;

	*ret = (struct cgroup)CGROUP_INIT;
	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	FILE *f = fopen(file, "re");
	hierarchies_read(&all);
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		const struct hierarchy *at = hierarchy_of(&all, line, &path);
		if (!at || !streq(path_base(path), name))
			continue;
		CLEANUP_STR char *up = path_parent(path);
		struct hierarchy h = *at;
		snprintf(h.point, sizeof(h.point), "%s%s", at->point, streq(up, "/") ? "" : up);
		add_group(ret, &h, name, NULL);
	}
	if (f)
		fclose(f);
}

static void enter(const struct cgroup *c, pid_t pid, const char *but)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", (int)pid);
	for (size_t i = 0; i < c->n; i++)
		if (c->dirs[i] != but)
			write_text(c->dirs[i], "cgroup.procs", number);
}

void cgroup_enter(const struct cgroup *c, pid_t pid)
{
	enter(c, pid, NULL);
}

void cgroup_enter_others(const struct cgroup *c, pid_t pid)
{
	enter(c, pid, c->unified);
}

void cgroup_forget(struct cgroup *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->dirs[i]);
	*c = (struct cgroup)CGROUP_INIT;
}

void cgroup_remove(struct cgroup *c)
{
	const struct timespec moment = {.tv_nsec = 5000000};

	for (size_t i = 0; i < c->n; i++) {
		/* A killed process leaves its group a little after it is reaped. */
		for (int tries = 0; tries < 400; tries++) {
			if (rmdir(c->dirs[i]) == 0 || errno != EBUSY)
				break;
			nanosleep(&moment, NULL);
		}
	}
	cgroup_forget(c);
}

void cgroup_make_anew(const char *name, bool below, const struct cgroup_limits *limits,
		      struct cgroup *ret)
{
	struct hierarchies all;
	struct cgroup old;

	hierarchies_read(&all);
	find_in(&all, name, &old);
	if (freezer_frozen(&old)) /* what is frozen in version 1 cannot die */
		freezer_set(&old, false);
	cgroup_remove(&old);
	*ret = (struct cgroup)CGROUP_INIT;
	if (below && all.unified)
		cgroup_make_below(all.unified->point, name, ret);
	if (!ret->n)
		make_in(&all, name, limits, ret);
}
