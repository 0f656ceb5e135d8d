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

enum setting { SET_MEMORY, SET_PROCESSES, SET_WEIGHT };

/* cgroups(7): which file of which controller holds what. Weight 100 of v2 is 1024 shares of v1. */
static const struct {
	const char *controller; /* of v1; v2 has them all in one directory */
	const char *v1, *v2;
	enum setting what;
} files[] = {
    {"memory", "memory.limit_in_bytes", "memory.max", SET_MEMORY},
    {"pids", "pids.max", "pids.max", SET_PROCESSES},
    {"cpu", "cpu.shares", "cpu.weight", SET_WEIGHT},
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
	}
	return 0;
}

static void write_file(const char *dir, const char *file, long long value)
{
	char text[32];
	CLEANUP_STR char *path = path_join(dir, file);
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
	int n = snprintf(text, sizeof(text), "%lld", value);

	if (fd >= 0)
		fd_write_all(fd, text, (size_t)n);
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
		long long v1 = value_of(limits, files[i].what, false);
		long long v2 = value_of(limits, files[i].what, true);
		bool held = !v1;
		for (size_t k = 0; k < c->n && !held; k++)
			held = reads(c->dirs[k], files[i].v1, v1) ||
			       reads(c->dirs[k], files[i].v2, v2);
		if (!held)
			return false;
	}
	return true;
}

/* One hierarchy; without @l the group must be there already. */
static void add_group(struct cgroup *c, const char *mount, const char *name, bool v2,
		      const char *controller, const struct cgroup_limits *l)
{
	CLEANUP_STR char *dir = path_join(mount, name);

	if (c->n == CGROUP_MAX || (l ? mkdir(dir, 0755) : access(dir, F_OK)) < 0)
		return;
	for (size_t i = 0; l && i < ARRAY_LEN(files); i++) {
		long long value = value_of(l, files[i].what, v2);
		if (value && (v2 || streq(files[i].controller, controller)))
			write_file(dir, v2 ? files[i].v2 : files[i].v1, value);
	}
	c->dirs[c->n++] = steal_ptr(dir);
}

/* The controller of ours that the comma list @options of a v1 mount names, or NULL. */
static const char *controller_in(char *options)
{
	char *save;

	for (char *w = strtok_r(options, ",", &save); w; w = strtok_r(NULL, ",", &save))
		for (size_t i = 0; i < ARRAY_LEN(files); i++)
			if (streq(files[i].controller, w))
				return files[i].controller;
	return NULL;
}

void cgroup_find(const char *name, struct cgroup *ret)
{
	cgroup_make(name, NULL, ret);
}

struct hierarchy {
	char point[1024], type[64], options[512];
};

/* The next control group file system of mountinfo, proc(5); false at the end. */
static bool next_hierarchy(FILE *f, struct hierarchy *h)
{
	char line[4096];

	while (f && fgets(line, sizeof(line), f)) {
		const char *after = strstr(line, " - ");
		if (after && sscanf(line, "%*d %*d %*s %*s %1023s", h->point) == 1 &&
		    sscanf(after, " - %63s %*s %511s", h->type, h->options) == 2 &&
		    str_after(h->type, "cgroup"))
			return true;
	}
	return false;
}

void cgroup_make(const char *name, const struct cgroup_limits *limits, struct cgroup *ret)
{
	struct hierarchy h;
	FILE *f = fopen("/proc/self/mountinfo", "re");

	*ret = (struct cgroup)CGROUP_INIT;
	while (next_hierarchy(f, &h)) {
		bool v2 = streq(h.type, "cgroup2");
		const char *controller = v2 ? NULL : controller_in(h.options);
		if (v2 || controller)
			add_group(ret, h.point, name, v2, controller, limits);
	}
	if (f)
		fclose(f);
}

/* Whether a line of a process's cgroup file, cgroups(7), "4:cpu,cpuacct:/a/b", is of the hierarchy
 * of @controller (NULL: "0::/a/b", version 2); its path, or NULL. */
static const char *path_in(char *line, const char *controller)
{
	char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL, *save;

	if (!path)
		return NULL;
	*path++ = '\0';
	path[strcspn(path, "\n")] = '\0';
	if (!controller)
		return names[1] ? NULL : path;
	for (char *w = strtok_r(names + 1, ",", &save); w; w = strtok_r(NULL, ",", &save))
		if (streq(w, controller))
			return path;
	return NULL;
}

/* The group of @pid in that hierarchy, new; "/" where there is none. */
static char *group_of(pid_t pid, const char *controller)
{
	char file[32], line[4096];
	char *found = NULL;

	snprintf(file, sizeof(file), "/proc/%d/cgroup", pid);
	FILE *f = fopen(file, "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		const char *path = path_in(line, controller);
		found = path ? xstrdup(path) : NULL;
	}
	if (f)
		fclose(f);
	return found ? found : xstrdup("/");
}

void cgroup_of(pid_t pid, const char *name, struct cgroup *ret)
{
	struct hierarchy h;
	FILE *f = fopen("/proc/self/mountinfo", "re");

	*ret = (struct cgroup)CGROUP_INIT;
	while (next_hierarchy(f, &h)) {
		bool v2 = streq(h.type, "cgroup2");
		const char *controller = v2 ? NULL : controller_in(h.options);
		if (!v2 && !controller)
			continue;
		CLEANUP_STR char *group = group_of(pid, controller);
		if (streq(path_base(group), name) && ret->n < CGROUP_MAX)
			ret->dirs[ret->n++] = xasprintf("%s%s", h.point, group);
	}
	if (f)
		fclose(f);
}

void cgroup_make_below(const char *name, struct cgroup *ret)
{
	const struct cgroup_limits none = {0};
	struct hierarchy h;
	CLEANUP_STR char *own = group_of(getpid(), NULL);
	FILE *f = fopen("/proc/self/mountinfo", "re");

	*ret = (struct cgroup)CGROUP_INIT;
	while (!ret->n && next_hierarchy(f, &h)) {
		if (!streq(h.type, "cgroup2"))
			continue;
		CLEANUP_STR char *below = xasprintf("%s%s", h.point, streq(own, "/") ? "" : own);
		CLEANUP_STR char *old = path_join(below, name);
		rmdir(old); /* what a killed supervisor left */
		add_group(ret, below, name, true, NULL, &none);
	}
	if (f)
		fclose(f);
}

void cgroup_enter(const struct cgroup *c, pid_t pid)
{
	for (size_t i = 0; i < c->n; i++)
		write_file(c->dirs[i], "cgroup.procs", pid);
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

void cgroup_forget(struct cgroup *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->dirs[i]);
	c->n = 0;
}
