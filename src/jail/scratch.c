/* SPDX-License-Identifier: MIT */
#include "jail/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "fs/dir.h"
#include "fs/lock.h"
#include "jail/generation.h"

static void remove_path(const char *path)
{
	CLEANUP_STR char *parent = path_parent(path);
	CLEANUP_FD int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		tree_remove(fd, path_base(path));
}

static char *group_name(const char *scratch)
{
	return xasprintf("immure-%s", scratch);
}

/* A low weight, and less than the host has: what runs there besides must not notice a build. */
static void make_group(struct scratch *s)
{
	const struct cgroup_limits limits = {
	    .memory = cgroup_host_memory() / 4 * 3,
	    .processes = 4096,
	    .weight = 50,
	};
	CLEANUP_STR char *name = group_name(path_base(s->path));

	cgroup_make(name, &limits, &s->cgroup);
}

/* A scratch directory whose lock can be had belongs to nobody any more. */
static void remove_stale(const char *tmp)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	CLEANUP_FD int dir = open(tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || dir_names(dir, &names) < 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP_FD int one =
		    openat(dir, names.v[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		CLEANUP_FD int lock = one < 0 ? -1 : lock_try(one, "lock", NULL);
		if (lock < 0)
			continue;
		struct cgroup left CLEANUP_CGROUP = CGROUP_INIT;
		CLEANUP_STR char *group = group_name(names.v[i]);
		cgroup_find(group, &left);
		tree_remove(dir, names.v[i]);
	}
}

int scratch_make(const struct dirs *d, const char *name, struct scratch *ret, struct err *e)
{
	CLEANUP_STR char *tmp = path_join(d->state, "tmp");
	int r = jail_make_dir(tmp, 0700, e);

	if (r < 0)
		return r;
	remove_stale(tmp);
	struct scratch s = {.path = xasprintf("%s/%s.XXXXXX", tmp, name), .lock = -1};
	if (!mkdtemp(s.path)) {
		r = -errno;
		err_errno(e, r, "making a scratch directory in %s", tmp);
		free(s.path);
		return r;
	}
	CLEANUP_FD int dir = open(s.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s.lock = dir < 0 ? -errno : lock_try(dir, "lock", e);
	if (s.lock < 0) {
		r = s.lock;
		scratch_remove(&s);
		return r;
	}
	make_group(&s);
	*ret = s;
	return 0;
}

int scratch_dir(const struct scratch *s, const char *name, char **ret, struct err *e)
{
	CLEANUP_STR char *path = path_join(s->path, name);

	if (mkdir(path, 0755) < 0)
		return err_errno(e, -errno, "making %s%s", path,
				 errno == ENOSPC ? " (free some space, or set IMMURE_STATE_DIR)"
						 : "");
	*ret = steal_ptr(path);
	return 0;
}

void scratch_remove(struct scratch *s)
{
	if (s->path)
		remove_path(s->path);
	cgroup_remove(&s->cgroup);
	free(steal_ptr(s->path));
	fd_close(&s->lock);
}
