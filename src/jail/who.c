/* SPDX-License-Identifier: MIT */
#include "jail/who.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "jail/ready.h"

_Static_assert(sizeof(uid_t) == sizeof(gid_t), "one list type serves both");

static void add_id(unsigned **v, size_t *n, unsigned id)
{
	for (size_t i = 0; i < *n; i++)
		if ((*v)[i] == id)
			return;
	*v = xrealloc(*v, *n + 1, sizeof(**v));
	(*v)[(*n)++] = id;
}

void who_add_uid(struct who *w, uid_t uid)
{
	add_id(&w->uids, &w->n_uids, uid);
}

void who_add_gid(struct who *w, gid_t gid)
{
	add_id(&w->gids, &w->n_gids, gid);
}

/* The numbers of one line of /proc/PID/status ("Uid:\t0\t0\t0\t0"). */
static void add_line(const char *status, const char *key, struct who *w,
		     void (*add)(struct who *w, unsigned id))
{
	const char *p = strstr(status, key);
	char *end;

	if (!p)
		return;
	for (p += strlen(key); *p == '\t' || *p == ' '; p = end) {
		unsigned long id = strtoul(p, &end, 10);
		if (end == p)
			return;
		add(w, (unsigned)id);
	}
}

void who_look(struct who *w, const struct run *r)
{
	struct pid_list pids CLEANUP_PIDS = {0};

	run_pids(r, &pids);
	for (size_t i = 0; i < pids.n; i++) {
		char path[40];
		CLEANUP_STR char *status = NULL;
		snprintf(path, sizeof(path), "/proc/%d/status", pids.v[i]);
		CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || fd_read_all(fd, 1 << 16, &status, NULL) < 0)
			continue;
		add_line(status, "\nUid:", w, who_add_uid);
		add_line(status, "\nGid:", w, who_add_gid);
		add_line(status, "\nGroups:", w, who_add_gid);
	}
}

void who_done(struct who *w)
{
	free(w->uids);
	free(w->gids);
	*w = (struct who)WHO_INIT;
}
