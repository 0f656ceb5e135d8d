/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "confine/run.h"

void pid_list_done(struct pid_list *l)
{
	free(l->v);
	*l = (struct pid_list){0};
}

static void add_children(pid_t pid, struct pid_list *l)
{
	char path[320], *text, *save;
	struct dirent *de;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	DIR *d = opendir(path);
	while (d && (de = readdir(d))) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/children", pid, de->d_name);
		CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || fd_read_all(fd, 1 << 20, &text, NULL) < 0)
			continue;
		for (char *w = strtok_r(text, " \n", &save); w; w = strtok_r(NULL, " \n", &save)) {
			l->v = xrealloc(l->v, l->n + 1, sizeof(*l->v));
			l->v[l->n++] = (pid_t)strtol(w, NULL, 10);
		}
		free(text);
	}
	if (d)
		closedir(d);
}

void run_pids(const struct run *r, struct pid_list *ret)
{
	*ret = (struct pid_list){0};
	add_children(r->init, ret);
	for (size_t i = 0; i < ret->n && ret->n < 100000; i++)
		add_children(ret->v[i], ret);
}

void run_leaves(const struct run *r, struct pid_list *ret)
{
	struct pid_list all CLEANUP_PIDS = {0};
	size_t leaves = 0;

	run_pids(r, &all);
	for (size_t i = 0; i < all.n; i++) {
		struct pid_list children CLEANUP_PIDS = {0};
		add_children(all.v[i], &children);
		if (!children.n)
			all.v[leaves++] = all.v[i];
	}
	*ret = (struct pid_list){.v = steal_ptr(all.v), .n = leaves};
}
