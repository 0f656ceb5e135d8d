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

enum setting { SET_MEMORY, SET_PROCESSES, SET_WEIGHT, SET_PERIOD, SET_QUOTA };

/* cgroups(7): which file of which controller holds what. Weight 100 of v2 is 1024 shares of v1;
 * cpu.max of v2 is both, "QUOTA PERIOD". */
static const struct {
	const char *controller; /* of v1; v2 has them all in one directory */
	const char *v1, *v2;
	enum setting what;
	bool limits; /* else it is a wish: what the host lacks of it is no reason not to start */
} files[] = {
    {"memory", "memory.limit_in_bytes", "memory.max", SET_MEMORY, true},
    {"pids", "pids.max", "pids.max", SET_PROCESSES, true},
    {"cpu", "cpu.shares", "cpu.weight", SET_WEIGHT, false},
    {"cpu", "cpu.cfs_period_us", NULL, SET_PERIOD, false},
    {"cpu", "cpu.cfs_quota_us", "cpu.max", SET_QUOTA, true},
};

static long long value_of(const struct cgroup_limits *l, enum setting what, bool v2)
{
	switch (what) {
	case SET_MEMORY:
		return l->memory;
	case SET_PROCESSES:
		return l->processes;
	case SET_WEIGHT:
		return v2 ? l->weight : l->weight * 1024ll / 100;
	case SET_PERIOD:
		return l->quota ? l->period : 0;
	case SET_QUOTA:
		return l->quota;
	}
	return 0;
}

static void write_text(const char *dir, const char *file, const char *text)
{
	CLEANUP_STR char *path = path_join(dir, file);
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		fd_write_all(fd, text, strlen(text));
}

static void write_limit(const char *dir, size_t i, const struct cgroup_limits *l, bool v2)
{
	const char *file = v2 ? files[i].v2 : files[i].v1;
	char text[64];
	int n = snprintf(text, sizeof(text), "%lld", value_of(l, files[i].what, v2));

	if (v2 && files[i].what == SET_QUOTA)
		snprintf(text + n, sizeof(text) - (size_t)n, " %ld", l->period);
	if (file)
		write_text(dir, file, text);
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

bool cgroup_holds(const struct cgroup *c, const struct cgroup_limits *limits)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		long long value = files[i].limits ? value_of(limits, files[i].what, true) : 0;
		bool held = !value;
		for (size_t k = 0; k < c->n && !held; k++)
			held = reads(c->dirs[k], files[i].v1, value) ||
			       reads(c->dirs[k], files[i].v2, value);
		if (!held)
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
	for (size_t i = 0; l && i < ARRAY_LEN(files); i++)
		if (value_of(l, files[i].what, h->unified) &&
		    (h->unified || hierarchy_has(h, files[i].controller)))
			write_limit(dir, i, l, h->unified);
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
		if (value_of(l, files[i].what, false) && hierarchy_has(h, files[i].controller))
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
