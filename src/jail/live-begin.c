/* SPDX-License-Identifier: MIT */
#include "jail/live-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/fd.h"
#include "base/path.h"
#include "confine/calls-policy.h"
#include "confine/carried.h"
#include "confine/ipc.h"
#include "confine/packed.h"
#include "confine/refusals.h"
#include "confine/users.h"
#include "jail/errand.h"
#include "jail/extend.h"
#include "jail/hardening.h"
#include "jail/mounts.h"
#include "jail/native.h"
#include "jail/refresh.h"
#include "jail/require.h"
#include "jail/resources.h"

/* The relay's bytes: made by the build, src/meson.build. */
extern const unsigned char relay_program[];
extern const unsigned relay_program_size;

/* What was edited while nothing ran: a start reads it, as natively. */
static int take_config(struct live *l, struct err *e)
{
	struct strv renewed CLEANUP_STRV = STRV_INIT, gone CLEANUP_STRV = STRV_INIT;
	struct strv added CLEANUP_STRV = STRV_INIT;
	bool due = extend_due(&l->generation);
	int r = refresh_config(&l->generation, &renewed, &gone, e);

	due |= renewed.n > 0;
	return r == 0 && due ? extend_jail(&l->generation, l->spec, NULL, &added, e) : r;
}

int live_load_generation(struct live *l, struct err *e)
{
	int r = generation_spec(&l->generation, l->name, &l->spec, e);
	if (r == 0)
		r = command_set_make(l->spec, &l->commands, e);
	if (r < 0)
		return r;
	r = confinement_take(&l->generation, l->spec, &l->confinement, e);
	if (r < 0)
		return r;
	l->listens = listens_of(l->confinement.walls.landlock);
	direct_apply(&l->generation.direct, &l->commands);
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	mounts_narrow_layout(&l->generation.layout, l->spec, host);
	return 0;
}

int live_load(struct live *l, struct err *e)
{
	int r = generation_load(l->dirs, l->name, &l->generation, e);

	if (r == 0)
		r = live_load_generation(l, e);
	if (r == 0)
		r = require_check(l->spec, e);
	if (r < 0)
		return r;
	l->ipc = ipc_observe();
	r = l->passed.n || l->background ? 0 : passed_inherit(&l->passed, e);
	if (r == 0)
		r = native_absent(&l->generation, l->spec, &l->commands, &l->passed, e);
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r == 0 && !l->passed.n)
		r = passed_open(l->spec, -1, host, &l->passed, e);
	return r == 0 ? take_config(l, e) : r;
}

static int take_users(struct live *l, struct err *e)
{
	l->plan.user_base = users_base(l->name);
	if (l->users < 0)
		l->users = users_make(l->plan.user_base, e);
	l->plan.user_ns = l->users;
	return l->users < 0 ? l->users : 0;
}

int live_make_plan(struct live *l, struct err *e)
{
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	fd_close(&l->plan.root); /* of a start before this one */
	plan_done(&l->plan);
	plan_init(&l->plan);
	int r = layout_create(&l->generation.layout, host, &l->made, e);
	if (r < 0)
		return r;
	command_set_plan(&l->commands, l->spec, &l->plan);
	passed_plan(&l->passed, l->spec, &l->commands.env, &l->plan);
	memcpy(l->plan.stdio, l->stdio, sizeof(l->plan.stdio));
	l->plan.same_pid = true;
	l->plan.own_net = hardening_is_on(l->spec, "PrivateNetwork");
	l->plan.forks = l->generation.forks;
	l->plan.stays = errands_stay(l->spec);
	l->plan.ipc = l->ipc;
	r = confinement_apply(&l->confinement, &l->plan, e);
	if (r == 0 && l->spec->private_users)
		r = take_users(l, e);
	if (r < 0)
		return r;
	l->plan.root = generation_hold(&l->generation, e);
	if (l->plan.root < 0)
		return l->plan.root;
	return mounts_sealed(&l->plan, &l->generation.layout, l->generation.dir, l->spec, host, e);
}

static int limit(struct live *l, struct err *e)
{
	cgroup_remove(&l->cgroup);
	int r = resources_group(l->dirs, l->spec, l->background, &l->cgroup, e);
	l->plan.cgroup = l->cgroup.n ? &l->cgroup : NULL;
	return r;
}

int live_refuse(struct live *l, struct err *e)
{
	struct refusal_answers answers;

	seccomp_answers(&answers);
	return refusals_start(take_fd(&l->run.listener), &answers, &l->listens, &l->refusals, e);
}

/* WATCHDOG_USEC= of sd_watchdog_enabled(3), new: what the manager that started us wants to see, or
 * our own keeper; NULL: nobody. */
static char *watchdog_variable(const struct live *l)
{
	const char *wanted = getenv("WATCHDOG_USEC"), *whose = getenv("WATCHDOG_PID");

	if (!l->background)
		return wanted && (!whose || atoi(whose) == getpid())
			   ? xasprintf("WATCHDOG_USEC=%.20s", wanted)
			   : NULL;
	return l->spec->watchdog > 0 ? xasprintf("WATCHDOG_USEC=%.0f", l->spec->watchdog * 1e6)
				     : NULL;
}

/* The socket on which the service may tell how it is, in a directory of its own that the jail sees;
 * and whether it shall show that it lives. */
static int listen_to(struct live *l, struct err *e)
{
	static const enum notices_from from[] = {
	    [NOTIFY_NONE] = NOTICES_NONE,
	    [NOTIFY_MAIN] = NOTICES_MAIN,
	    [NOTIFY_EXEC] = NOTICES_EXEC,
	    [NOTIFY_ALL] = NOTICES_ALL,
	};
	const struct spec *s = l->spec;
	enum notify_access access = s->notify_access	     ? s->notify_access
				    : s->type == TYPE_NOTIFY ? NOTIFY_MAIN
							     : NOTIFY_NONE;
	if (from[access] == NOTICES_NONE)
		return 0;
	CLEANUP_FD int dir = running_own_dir(l->dirs, l->name, e);
	fd_close(&l->notices.socket); /* of a start before this one */
	int r = dir < 0 ? dir : notices_open(&l->notices, dir, from[access], e);
	if (r < 0)
		return r;
	CLEANUP_STR char *source = running_own_path(l->dirs, l->name);
	plan_mount(&l->plan, MOUNT_DIR, NOTICES_DIR, NULL, 0)->mode = 0755;
	plan_mount(&l->plan, MOUNT_BIND, NOTICES_DIR, source,
		   MOUNT_READONLY | MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC);
	env_put(&l->commands.env, "NOTIFY_SOCKET=" NOTICES_DIR "/" NOTICES_NAME);
	CLEANUP_STR char *beat = watchdog_variable(l);
	if (beat)
		env_put(&l->commands.env, beat);
	l->plan.envp = l->commands.env.v;
	return 0;
}

/* The process that carries its messages out is found now: its keeper is another program. */
int live_open_logging(struct live *l, struct err *e)
{
	const struct spec *s = l->spec;
	struct logging *g = &l->logging;
	bool limited = !isinf(s->log_interval);

	if (!g->open) {
		g->name = l->name;
		g->run_dir = l->dirs->run;
		g->set = (struct logging_settings){
		    .where = s->syslog,
		    .stream = s->syslog_socket == LOG_STREAM,
		    .room = s->syslog_buffer,
		    .burst = limited ? (uint32_t)s->log_burst : 0,
		    .interval_ms = limited ? (uint64_t)(s->log_interval * 1000) : 0,
		};
		fd_close(&g->program);
		g->program = carried_open("immure-relay", relay_program, relay_program_size, e);
	}
	int r = g->program < 0 ? g->program : logging_open(g, e);
	return r == 0 ? logging_plan(g, &l->plan, e) : r;
}

/* RUN is there for whoever holds a lock in it, and these hold none. */
int live_open_shared_logging(struct live *l, struct err *e)
{
	CLEANUP_FD int run = running_dir(l->dirs, e);

	l->logging.shared = true; /* among all that run at once */
	return run < 0 ? run : live_open_logging(l, e);
}

static int note(struct live *l, struct err *e)
{
	l->running = (struct running){.init = l->run.init,
				      .supervisor = getpid(),
				      .main = l->run.main,
				      .generation = l->generation.number};
	clock_text(l->running.started);
	return running_write(l->dirs, l->name, &l->running, e);
}

/* What has not even begun has not died. */
static int wait_exec(struct live *l, struct err *e)
{
	int r = run_wait_exec(&l->run, l->spec->timeout_start, e);

	if (r == 0 || !l->plan.stays)
		return r;
	l->result = r == -ETIME ? "timeout" : "exit-code";
	errands_settle(l, l->spec->kill_signal);
	running_remove(l->dirs, l->name, "json");
	return r;
}

int live_begin(struct live *l, struct err *e)
{
	int r = live_make_plan(l, e);

	if (r == 0 && l->generation.layout.syslog)
		r = live_open_logging(l, e);
	if (r == 0)
		r = listen_to(l, e);
	if (r == 0)
		r = limit(l, e);
	if (r == 0)
		r = run_start(&l->plan, &l->run, e);
	if (r == 0)
		r = live_refuse(l, e);
	if (r == 0 && l->plan.stays)
		r = note(l, e);
	logging_greet(&l->logging);
	if (r == 0)
		r = wait_exec(l, e);
	return r == 0 ? note(l, e) : r;
}

int live_pack(struct live *l, char **ret, size_t *ret_len, struct err *e)
{
	CLEANUP_STR char *root = NULL;
	int r = live_load(l, e);

	if (r == 0 && l->spec->environment_files.n)
		return err_set(e, -EINVAL,
			       "%s reads EnvironmentFile= at every start: what it holds may be "
			       "secret and is not exported",
			       l->name);
	for (int i = 0; i < 3; i++)
		l->stdio[i] = i;
	if (r == 0)
		r = live_make_plan(l, e);
	/* Where nobody is there beside the jail no relay is: only what needs none. */
	if (r == 0 && l->generation.layout.syslog && logging_is_daemon(l->spec->syslog))
		r = live_open_shared_logging(l, e);
	if (r < 0)
		return r;
	struct plan p = l->plan;
	strv_done(&l->made); /* directories in /run: the plan needs them */
	root = path_join(l->generation.dir, "root");
	p.root_path = root;
	p.stays = false;
	p.root = p.launcher = p.user_ns = -1;
	*ret = packed_write(&p, ret_len);
	return 0;
}
