/* SPDX-License-Identifier: MIT */
#include "jail/reach.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "jail/ready.h"

void reach_done(struct reach *a)
{
	free(a->v);
	*a = (struct reach){0};
}

static bool read_counters(pid_t pid, struct reading *ret)
{
	char path[40];

	*ret = (struct reading){.pid = pid};
	snprintf(path, sizeof(path), "/proc/%d/io", pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return false;
	int n = fscanf(f, "rchar: %llu wchar: %*u syscr: %llu", &ret->bytes, &ret->calls);
	fclose(f);
	return n == 2;
}

void reach_begin(struct reach *ret, const struct run *r, unsigned long calls)
{
	struct pid_list pids CLEANUP_PIDS = {0};

	run_pids(r, &pids);
	*ret = (struct reach){.calls = calls, .v = xcalloc(pids.n, sizeof(*ret->v)), .n = pids.n};
	for (size_t i = 0; i < pids.n; i++)
		ret->blind |= !read_counters(pids.v[i], &ret->v[i]);
}

static const struct reading *find(const struct reach *a, pid_t pid)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].pid == pid)
			return &a->v[i];
	return NULL;
}

bool reach_seen(const struct reach *before, const struct run *r, unsigned long calls)
{
	struct reach now CLEANUP_REACH = {0};

	reach_begin(&now, r, calls);
	if (before->blind || now.blind || calls != before->calls || now.n != before->n)
		return true;
	for (size_t i = 0; i < now.n; i++) {
		const struct reading *was = find(before, now.v[i].pid);
		if (!was || was->bytes != now.v[i].bytes || was->calls != now.v[i].calls)
			return true;
	}
	return false;
}
