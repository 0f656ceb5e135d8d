/* SPDX-License-Identifier: MIT */
#include "jail/live.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/path.h"
#include "confine/ipc.h"
#include "confine/packed.h"
#include "confine/refusals.h"
#include "confine/users.h"
#include "fs/beneath.h"
#include "jail/extend.h"
#include "jail/mounts.h"
#include "jail/native.h"
#include "jail/ready.h"
#include "jail/rebind.h"
#include "jail/refresh.h"
#include "jail/reload.h"
#include "jail/require.h"
#include "jail/resources.h"

/* How often it is started, when a process that puts itself into the background gets another number
 * outside than inside: some other process of the host was made in the same moment. */
#define STARTS_MAX 5

/* What is passed on to the service; TERM and INT end it. */
static int open_signals(void)
{
	static const int passed[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(passed); i++)
		sigaddset(&set, passed[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void live_init(struct live *l, const struct dirs *d, const char *name)
{
	*l = (struct live){.dirs = d,
			   .name = name,
			   .run = RUN_INIT,
			   .lock = -1,
			   .signals = -1,
			   .users = -1,
			   .publish = PUBLISH_INIT};
	plan_init(&l->plan);
}

int live_lock(struct live *l, struct err *e)
{
	l->lock = running_lock(l->dirs, l->name, e);
	return l->lock < 0 ? l->lock : 0;
}

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

static int load(struct live *l, struct err *e)
{
	int r = generation_load(l->dirs, l->name, &l->generation, e);

	if (r < 0)
		return r;
	r = generation_spec(&l->generation, l->name, &l->spec, e);
	if (r == 0)
		r = command_set_make(l->spec, &l->commands, e);
	if (r < 0)
		return r;
	r = confinement_take(&l->generation, l->spec, &l->confinement, e);
	if (r < 0)
		return r;
	direct_apply(&l->generation.direct, &l->commands);
	r = require_check(l->spec, e);
	if (r < 0)
		return r;
	l->ipc = ipc_observe();
	r = native_absent(&l->generation, l->spec, &l->commands, e);
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

static int make_plan(struct live *l, struct err *e)
{
	CLEANUP_STR char *root = path_join(l->generation.dir, "root");
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	fd_close(&l->plan.root); /* of a start before this one */
	plan_done(&l->plan);
	plan_init(&l->plan);
	int r = layout_create(&l->generation.layout, host, &l->made, e);
	if (r < 0)
		return r;
	command_set_plan(&l->commands, l->spec, &l->plan);
	memcpy(l->plan.stdio, l->stdio, sizeof(l->plan.stdio));
	l->plan.same_pid = true;
	l->plan.forks = l->generation.forks;
	l->plan.ipc = l->ipc;
	r = confinement_apply(&l->confinement, &l->plan, e);
	if (r == 0 && l->spec->private_users)
		r = take_users(l, e);
	if (r < 0)
		return r;
	/* A link in its place would make another directory the service's root. */
	CLEANUP_FD int dir = open(root, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	l->plan.root =
	    dir < 0 ? -1 : open_tree(dir, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (l->plan.root < 0)
		return err_errno(e, -errno, "taking hold of %s", root);
	return mounts_sealed(&l->plan, &l->generation.layout, l->generation.dir, host, e);
}

static int hold_limits(const struct live *l, const struct cgroup_limits *limits, struct err *e)
{
	if (cgroup_holds(&l->cgroup, limits))
		return 0;
	return err_set(e, -EOPNOTSUPP,
		       "%s: MemoryMax= or TasksMax= cannot be enforced: this host has no control "
		       "group for it (immure check --host: cgroup-limits)",
		       l->name);
}

/* A control group where the spec has something for it. Under an init system of the host's the
 * limits are its unit's; whom the jail may talk to is ours there too, in a group below the unit's.
 */
static int limit(struct live *l, struct err *e)
{
	struct cgroup_limits limits = {0};
	struct peers peers CLEANUP_PEERS = {0};
	bool limited = resources_of(l->spec, &limits) && l->background;
	bool apart = peers_of(l->spec, &peers);

	if (!limited && !apart)
		return 0;
	CLEANUP_STR char *name = xasprintf("immure-%s", l->name);
	cgroup_remove(&l->cgroup);
	cgroup_find(name, &l->cgroup); /* what a killed supervisor left */
	cgroup_remove(&l->cgroup);
	if (l->background)
		cgroup_make(name, &limits, &l->cgroup);
	else
		cgroup_make_below(name, &l->cgroup);
	l->plan.cgroup = &l->cgroup;
	int r = limited ? hold_limits(l, &limits, e) : 0;
	return r == 0 && apart ? peers_enforce(&peers, &l->cgroup, e) : r;
}

static int begin(struct live *l, struct err *e)
{
	int r = make_plan(l, e);

	if (r == 0)
		r = limit(l, e);
	if (r == 0)
		r = run_start(&l->plan, &l->run, e);
	if (r == 0)
		r = refusals_start(take_fd(&l->run.listener), &l->refusals, e);
	if (r == 0)
		r = run_wait_exec(&l->run, l->spec->timeout_start, e);
	if (r < 0)
		return r;
	l->running = (struct running){.init = l->run.init,
				      .supervisor = getpid(),
				      .main = l->run.main,
				      .generation = l->generation.number};
	clock_text(l->running.started);
	return running_write(l->dirs, l->name, &l->running, e);
}

int live_pack(struct live *l, char **ret, size_t *ret_len, struct err *e)
{
	CLEANUP_STR char *root = NULL;
	int r = load(l, e);

	if (r == 0 && l->spec->environment_files.n)
		return err_set(e, -EINVAL,
			       "%s reads EnvironmentFile= at every start: what it holds may be "
			       "secret and is not exported",
			       l->name);
	for (int i = 0; i < 3; i++)
		l->stdio[i] = i;
	if (r == 0)
		r = make_plan(l, e);
	if (r < 0)
		return r;
	struct plan p = l->plan;
	strv_done(&l->made); /* directories in /run: the plan needs them */
	root = path_join(l->generation.dir, "root");
	p.root_path = root;
	p.root = p.launcher = p.user_ns = -1;
	*ret = packed_write(&p, ret_len);
	return 0;
}

bool live_over(const struct live *l)
{
	return l->run.main_exited && (l->run.main_status != 0 || !run_alive(&l->run));
}

static void stop(struct live *l, int sig)
{
	double limit = l->spec->timeout_stop;

	run_stop(&l->run, sig, limit > 0 && limit < 1e6 ? (int)(limit * 1000) : -1);
	refusals_stop(l->refusals);
	l->refusals = NULL;
}

static void take_signal(struct live *l)
{
	struct signalfd_siginfo si;

	if (read(l->signals, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;
	int sig = (int)si.ssi_signo;
	if (sig != SIGTERM && sig != SIGINT) {
		run_signal(&l->run, sig);
		return;
	}
	l->asked = true;
	notify_send("STOPPING=1");
	stop(l, sig == SIGTERM ? l->spec->kill_signal : sig);
}

/* 1 when it is ready, 0 where it is over or takes longer than @seconds. */
static int wait_ready(struct live *l, double seconds)
{
	struct rest rest CLEANUP(rest_done) = {0};
	double end = clock_now() + (seconds > 0 ? seconds : 1e9);

	while (clock_now() < end) {
		struct pollfd pfd = {.fd = l->signals, .events = POLLIN};
		if (poll(&pfd, 1, 0) > 0)
			take_signal(l);
		if (l->asked || run_poll(&l->run, READY_TICK_MS) || live_over(l))
			return 0;
		if (rest_look(&rest, &l->run, &l->generation.listeners, 0))
			return 1;
	}
	return 0;
}

/* The pid files in directories that the host has too, in state or elsewhere: their numbers are what
 * the host's scripts read, and what a second server reads in the state. Others are published. */
static void shared_files(const struct live *l, bool state, struct strv *ret)
{
	for (size_t i = 0; i < l->generation.pid_files.n; i++) {
		const char *path = l->generation.pid_files.v[i];
		const struct provision *p = layout_find(&l->generation.layout, path);
		if (p && p->writable && (p->class == CLASS_STATE) == state)
			strv_add(ret, path);
	}
}

static int wrong_state(const struct live *l, const char *path, struct err *e)
{
	return err_set(
	    e, -EAGAIN,
	    "%s: its processes got other numbers outside than inside, %d times: %s would "
	    "let a second server start on the same data. Other programs of this host "
	    "start too often just now; try again",
	    l->name, STARTS_MAX, path);
}

static int tell_wrong(struct live *l, const char *path, struct err *e)
{
	pid_t inside = 0, outside = pid_files_number(path, &l->run, &inside);

	CLEANUP_STR char *shown = str_printable(xstrdup(path));

	snprintf(l->running.note, sizeof(l->running.note), "pid file %s says %d, outside it is %d",
		 shown, (int)inside, (int)outside);
	return running_write(l->dirs, l->name, &l->running, e);
}

/* Whether the numbers are right; 1 where another start may do better. */
static int check_numbers(struct live *l, int started, struct err *e)
{
	struct strv state CLEANUP_STRV = STRV_INIT, other CLEANUP_STRV = STRV_INIT;

	shared_files(l, true, &state);
	shared_files(l, false, &other);
	const char *torn = pid_files_wrong(&state, &l->run);
	const char *wrong = torn ? torn : pid_files_wrong(&other, &l->run);
	if (!wrong)
		return 0;
	log_debug("%s: %s names another process outside (start %d)", l->name, wrong, started);
	if (started < STARTS_MAX)
		return 1;
	return torn ? wrong_state(l, torn, e) : tell_wrong(l, wrong, e);
}

/* Those that have the place of a file of somebody else are told of. */
static int publish(struct live *l, struct err *e)
{
	publish_open(&l->publish, &l->generation.pid_files, &l->generation.layout, &l->run);
	if (!l->publish.left || l->running.note[0])
		return 0;
	CLEANUP_STR char *shown = str_printable(xstrdup(l->publish.left));
	snprintf(l->running.note, sizeof(l->running.note),
		 "/run/%s on the host is not this jail's: left as it is", shown);
	return running_write(l->dirs, l->name, &l->running, e);
}

/* Content that a link leads to now and that the jail has no place for. */
static int tell_strays(struct live *l, struct err *e)
{
	struct strv strays CLEANUP_STRV = STRV_INIT;
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	layout_strays(&l->generation.layout, host, &strays);
	if (!strays.n || l->running.note[0])
		return 0;
	snprintf(l->running.note, sizeof(l->running.note), "%s", str_printable(strays.v[0]));
	return running_write(l->dirs, l->name, &l->running, e);
}

int live_start(struct live *l, const int stdio[3], double seconds, bool *ret_ready, struct err *e)
{
	int r = load(l, e), again = 1;

	l->signals = open_signals();
	memcpy(l->stdio, stdio, sizeof(l->stdio));
	for (int n = 1; r == 0 && again; n++) {
		r = begin(l, e);
		*ret_ready = r == 0 && wait_ready(l, seconds ? seconds : l->spec->timeout_start);
		run_settled(&l->run);
		again = r == 0 && *ret_ready ? check_numbers(l, n, e) : 0;
		if (again)
			stop(l, l->spec->kill_signal);
		if (again < 0)
			r = again;
	}
	if (r == 0)
		r = publish(l, e);
	return r == 0 ? tell_strays(l, e) : r;
}

/* Says which calls were refused, each once, on the service's own output, and lets status know.
 */
static void tell_refusals(struct live *l)
{
	struct refusal v[REFUSALS_MAX];
	unsigned long total = 0;
	char name[32];
	size_t n = refusals_look(l->refusals, v, &total);

	for (size_t i = 0; i < n; i++) {
		if (v[i].call >= 0 && v[i].call < LIVE_CALLS_MAX && !l->told[v[i].call]) {
			l->told[v[i].call] = true;
			refusal_name(&v[i], name, sizeof(name));
			dprintf(l->stdio[2],
				"immure: %s: refused %s(); immure why %s '%s()' says more\n",
				l->name, name, l->name, name);
		}
	}
	if (total == l->running.refused)
		return;
	l->running.refused = total;
	running_write(l->dirs, l->name, &l->running, NULL);
}

void live_watch(struct live *l)
{
	struct rebind rb CLEANUP_REBIND = REBIND_INIT;
	struct reload reload CLEANUP_RELOAD = RELOAD_INIT;

	rebind_open(&rb, &l->generation.layout);
	reload_open(&reload, l);
	while (l->run.ctl >= 0 && !live_over(l)) {
		struct pollfd pfd[] = {{.fd = l->run.ctl, .events = POLLIN},
				       {.fd = l->signals, .events = POLLIN},
				       {.fd = rb.inotify, .events = POLLIN},
				       {.fd = l->publish.inotify, .events = POLLIN},
				       {.fd = reload_fd(&reload), .events = POLLIN},
				       {.fd = refusals_fd(l->refusals), .events = POLLIN}};
		int n = poll(pfd, ARRAY_LEN(pfd), rebind_wait(&rb));
		if (n < 0)
			continue;
		if (n == 0 || pfd[2].revents)
			rebind_serve(&rb, &l->run);
		if (pfd[3].revents)
			publish_serve(&l->publish, &l->run);
		if (pfd[5].revents)
			tell_refusals(l);
		if (pfd[4].revents)
			reload_serve(&reload, l, &rb);
		if (pfd[1].revents)
			take_signal(l);
		else if (pfd[0].revents && run_poll(&l->run, 0))
			break;
	}
}

/* What was made in /run goes with the service, as RuntimeDirectory= has it; but only when it is
 * empty: another service may share it (/run/apache2 of two instances). */
static void remove_runtime(const struct live *l)
{
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < l->made.n; i++) {
		const char *path = l->made.v[i];
		if (!path_within(path, "/run"))
			continue;
		/* No link is followed: a directory on the way may be the service's. */
		CLEANUP_STR char *up = path_parent(path);
		CLEANUP_FD int parent = beneath_open_nolink(host, up, O_PATH | O_DIRECTORY, 0);
		if (parent >= 0)
			unlinkat(parent, path_base(path), AT_REMOVEDIR);
	}
}

void live_done(struct live *l)
{
	/* It ended as a service should: asked to, or done with its work. */
	bool well = l->asked || !l->run.main_exited || l->run.main_status == 0;

	publish_done(&l->publish);
	run_end(&l->run);
	cgroup_remove(&l->cgroup);
	refusals_stop(l->refusals);
	confinement_done(&l->confinement);
	remove_runtime(l);
	strv_done(&l->made);
	fd_close(&l->plan.root);
	plan_done(&l->plan);
	ipc_settings_free(l->ipc);
	command_set_done(&l->commands);
	generation_done(&l->generation);
	spec_free(l->spec);
	fd_close(&l->signals);
	fd_close(&l->users);
	if (l->lock >= 0) {
		if (well)
			running_remove(l->dirs, l->name, "json");
		running_remove(l->dirs, l->name, "lock");
	}
	fd_close(&l->lock);
}
