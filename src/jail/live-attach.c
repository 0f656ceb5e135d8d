/* SPDX-License-Identifier: MIT */
#include "jail/live-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "jail/mounts.h"
#include "jail/resources.h"

/* Whether the service's first process is still there: our init's own child. */
static bool main_lives(const struct run *r)
{
	struct pid_list pids CLEANUP_PIDS = {0};

	run_pids(r, &pids);
	for (size_t i = 0; i < pids.n; i++)
		if (pids.v[i] == r->main)
			return true;
	return false;
}

/* The processes of the run by its notes, l->running: what they say is true as long as the lock is
 * held, and a descriptor taken meanwhile stays right. */
static int attach_run(struct live *l, struct err *e)
{
	struct run *r = &l->run;
	struct running again;
	char path[40];

	*r = (struct run)RUN_INIT;
	r->init = l->running.init;
	r->init_fd = pidfd_open(r->init, 0);
	int code = running_read(l->dirs, l->name, &again);
	if (getppid() == again.supervisor)
		again.waiting = false; /* we are an errand of its: it does not wait any more */
	if (r->init_fd < 0 || code < 0 || again.init != r->init || !running_is_init(&again))
		return err_set(e, -EAGAIN, "%s is just starting or stopping; try again", l->name);
	l->running = again;
	/* Taken before it is looked for: what is found then is what it stands for. */
	r->main = l->running.told_main ? l->running.told_main : l->running.main;
	r->main_fd = pidfd_open(r->main, 0);
	if (l->running.told_main && !main_lives(r)) {
		fd_close(&r->main_fd);
		r->main = l->running.main;
		r->main_fd = pidfd_open(r->main, 0);
	}
	r->main_exited = !main_lives(r);
	r->users = l->plan.user_ns = l->users;
	if (!l->spec->private_users || l->users >= 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)run_main(r, NULL));
	r->users = l->plan.user_ns = l->users = open(path, O_RDONLY | O_CLOEXEC);
	return l->users < 0 ? err_errno(e, -errno, "opening %s", path) : 0;
}

int live_attach(struct live *l, struct err *e)
{
	l->attached = true;
	if (running_read(l->dirs, l->name, &l->running) < 0 || !running_held(l->dirs, l->name))
		return err_set(e, -EREMOTEIO, "%s does not run: immure start %s", l->name, l->name);
	int r = generation_load_number(l->dirs, l->name, l->running.generation, &l->generation, e);
	if (r == 0)
		r = live_load_generation(l, e);
	if (r < 0)
		return r;
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	command_set_plan(&l->commands, l->spec, &l->plan);
	r = confinement_apply(&l->confinement, &l->plan, e);
	CLEANUP_STR char *root = path_join(l->generation.dir, "root");
	l->plan.root = open(root, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* Nothing is mounted: Landlock goes by what is writable. */
	if (r == 0)
		r = mounts_sealed(&l->plan, &l->generation.layout, l->generation.dir, l->spec, host,
				  e);
	if (r == 0)
		r = attach_run(l, e);
	if (r < 0)
		return r;
	CLEANUP_STR char *group = resources_group_name(l->dirs, l->name);
	cgroup_of(l->run.init, group, &l->cgroup);
	l->plan.cgroup = &l->cgroup;
	return 0;
}
