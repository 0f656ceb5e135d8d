/* SPDX-License-Identifier: MIT */
#include "jail/freeze.h"

#include <errno.h>

#include "base/alloc.h"
#include "confine/freezer.h"
#include "jail/resources.h"
#include "jail/running.h"

/* The group of a jail that runs; empty where it has none. */
static int find(const struct dirs *d, const char *name, struct cgroup *ret)
{
	CLEANUP_STR char *group = resources_group_name(d, name);
	struct running running;

	if (!running_held(d, name) || running_read(d, name, &running) < 0)
		return -ESRCH;
	cgroup_of(running.init, group, ret);
	return 0;
}

bool freeze_is(const struct dirs *d, const char *name)
{
	struct cgroup c = CGROUP_INIT;
	bool frozen = find(d, name, &c) == 0 && freezer_frozen(&c);

	cgroup_forget(&c);
	return frozen;
}

static int cannot(const char *name, struct err *e)
{
	return err_set(e, -EOPNOTSUPP,
		       "%s cannot be frozen: this host has given it no control group that can (of "
		       "version 2, or with the freezer of version 1). To stop its processes by a "
		       "signal is not the same: their parents would see it",
		       name);
}

int freeze_set(const struct dirs *d, const char *name, bool frozen, struct err *e)
{
	struct cgroup c = CGROUP_INIT;
	int r = find(d, name, &c);

	if (r < 0)
		return err_set(e, r, "%s does not run", name);
	if (!freezer_has(&c))
		r = cannot(name, e);
	else if (freezer_frozen(&c) == frozen)
		r = 1;
	else
		r = freezer_set(&c, frozen);
	cgroup_forget(&c);
	if (r == -ETIME)
		return err_set(e, r,
			       "%s: the kernel could not halt all its processes: one waits for a "
			       "disk, or for a server of files",
			       name);
	return r < 0 && r != -EOPNOTSUPP ? err_errno(e, r, "freezing %s", name) : r;
}
