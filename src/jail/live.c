/* SPDX-License-Identifier: MIT */
#include "jail/live.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/path.h"
#include "confine/calls-policy.h"
#include "confine/carried.h"
#include "confine/freezer.h"
#include "confine/ipc.h"
#include "confine/packed.h"
#include "confine/refusals.h"
#include "confine/users.h"
#include "fs/make.h"
#include "jail/errand.h"
#include "jail/extend.h"
#include "jail/hardening.h"
#include "jail/mounts.h"
#include "jail/native.h"
#include "jail/pid-files.h"
#include "jail/ready.h"
#include "jail/refresh.h"
#include "jail/require.h"
#include "jail/resources.h"
#include "keep/keeper.h"
#include "keep/pid-file.h"

/* How often it is started, when a process that puts itself into the background gets another number
 * outside than inside: some other process of the host was made in the same moment. */
#define STARTS_MAX 5

/* The relay's bytes: made by the build, src/meson.build. */
extern const unsigned char relay_program[];
extern const unsigned relay_program_size;

void live_init(struct live *l, const struct dirs *d, const char *name)
{
	*l = (struct live){.dirs = d,
			   .name = name,
			   .run = RUN_INIT,
			   .lock = -1,
			   .signals = -1,
			   .users = -1,
			   .notices = NOTICES_INIT,
			   .logging = LOGGING_INIT,
			   .publish = PUBLISH_INIT};
	plan_init(&l->plan);
	clock_gettime(CLOCK_REALTIME_COARSE, &l->began); /* the clock of file systems */
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

static int load_generation(struct live *l, struct err *e)
{
	int r = generation_spec(&l->generation, l->name, &l->spec, e);
	if (r == 0)
		r = command_set_make(l->spec, &l->commands, e);
	if (r < 0)
		return r;
	r = confinement_take(&l->generation, l->spec, &l->confinement, e);
	if (r < 0)
		return r;
	direct_apply(&l->generation.direct, &l->commands);
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	mounts_narrow_layout(&l->generation.layout, l->spec, host);
	return 0;
}

static int load(struct live *l, struct err *e)
{
	int r = generation_load(l->dirs, l->name, &l->generation, e);

	if (r == 0)
		r = load_generation(l, e);
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

static int make_plan(struct live *l, struct err *e)
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

static int refuse(struct live *l, struct err *e)
{
	struct refusal_answers answers;

	seccomp_answers(&answers);
	return refusals_start(take_fd(&l->run.listener), &answers, &l->refusals, e);
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
static int open_logging(struct live *l, struct err *e)
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

static int note(struct live *l, struct err *e)
{
	l->running = (struct running){.init = l->run.init,
				      .supervisor = getpid(),
				      .main = l->run.main,
				      .generation = l->generation.number};
	clock_text(l->running.started);
	return running_write(l->dirs, l->name, &l->running, e);
}

/* One that puts itself into the background has started when its first process has ended, and
 * PIDFile= says which one is the main process then. */
static bool puts_itself_back(const struct live *l)
{
	return l->spec->type == TYPE_FORKING && l->generation.forks &&
	       !l->generation.direct.program;
}

static bool wants_file(const struct live *l)
{
	return puts_itself_back(l) && l->spec->pid_file;
}

static bool starts_still(struct live *l)
{
	if (!puts_itself_back(l))
		return false;
	if (!l->spec->pid_file)
		return !l->run.main_exited;
	return l->run.main_fd < 0 && !pid_file_follow(&l->run, l->spec->pid_file);
}

/* Whom the pid file has named; or that it names nobody, and the main process is guessed. */
static int note_main(struct live *l, struct err *e)
{
	if (!wants_file(l))
		return 0;
	l->running.main = l->run.main;
	CLEANUP_STR char *shown = str_printable(xstrdup(l->spec->pid_file));
	if (l->run.main_fd < 0 && !l->running.note[0])
		snprintf(l->running.note, sizeof(l->running.note),
			 "PIDFile=%s names no process of the jail", shown);
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

static int begin(struct live *l, struct err *e)
{
	int r = make_plan(l, e);

	if (r == 0 && l->generation.layout.syslog)
		r = open_logging(l, e);
	if (r == 0)
		r = listen_to(l, e);
	if (r == 0)
		r = limit(l, e);
	if (r == 0)
		r = run_start(&l->plan, &l->run, e);
	if (r == 0)
		r = refuse(l, e);
	if (r == 0 && l->plan.stays)
		r = note(l, e);
	logging_greet(&l->logging);
	if (r == 0)
		r = wait_exec(l, e);
	return r == 0 ? note(l, e) : r;
}

static void stop(struct live *l, int sig)
{
	freezer_set(&l->cgroup, false);
	errands_settle(l, sig);
	run_end(&l->run);
	refusals_stop(l->refusals);
	l->refusals = NULL;
}

void live_signal(struct live *l)
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

/* One of Type=notify that never tells (its own configuration may say so), or of Type=forking that
 * stays, is ready when it has come to rest like any other, so much later. */
#define UNTOLD_S 5

/* 1 when it is ready, 0 where it is over or takes longer than @seconds. */
static int wait_ready(struct live *l, double seconds)
{
	struct rest rest CLEANUP(rest_done) = {0};
	bool tells = l->spec->type == TYPE_NOTIFY;
	double rested = 0; /* since when */
	double end = clock_now() + (seconds > 0 ? seconds : 1e9);

	while (clock_now() < end) {
		struct pollfd pfd = {.fd = l->signals, .events = POLLIN};
		if (poll(&pfd, 1, 0) > 0)
			live_signal(l);
		logging_serve(&l->logging);
		bool gone = run_poll(&l->run, READY_TICK_MS);
		command_forgive(l->spec, &l->run);
		if (gone || l->asked || run_over(&l->run))
			return 0;
		notices_serve(&l->notices, &l->run, false);
		if (l->notices.ready)
			return 1;
		if (!rested && rest_look(&rest, &l->run, &l->generation.listeners, 0))
			rested = clock_now();
		bool waits = tells || starts_still(l);
		if (rested && (!waits || clock_now() > rested + UNTOLD_S))
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
	struct strv names CLEANUP_STRV = STRV_INIT;

	pid_files_private(&l->generation.pid_files, &l->generation.layout, &names);
	publish_open(&l->publish, &names, &l->run);
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

/* @begun: it runs already. */
static int settle(struct live *l, bool begun, double seconds, bool *ret_ready, struct err *e)
{
	int r = 0, again = 1;

	for (int n = 1; r == 0 && again; n++) {
		r = begun && n == 1 ? 0 : begin(l, e);
		*ret_ready = r == 0 && wait_ready(l, seconds ? seconds : l->spec->timeout_start);
		run_settled(&l->run);
		again = r == 0 && *ret_ready ? check_numbers(l, n, e) : 0;
		if (again)
			stop(l, l->spec->kill_signal);
		l->settled = false;
		if (again < 0)
			r = again;
	}
	if (r == 0)
		r = publish(l, e);
	if (r == 0 && *ret_ready)
		r = note_main(l, e);
	/* One that nobody waits for to be ready is as ready as it gets. */
	if (r == 0 && !l->asked && !run_over(&l->run) && (*ret_ready || seconds))
		r = errands_started(l, e);
	*ret_ready = *ret_ready && !l->asked;
	return r == 0 ? tell_strays(l, e) : r;
}

int live_start(struct live *l, const int stdio[3], double seconds, bool *ret_ready, struct err *e)
{
	again_started(&l->history, clock_ms()); /* also where it comes to nothing */
	int r = load(l, e);

	l->signals = keeper_signals();
	memcpy(l->stdio, stdio, sizeof(l->stdio));
	return r == 0 ? settle(l, false, seconds, ret_ready, e) : r;
}

int live_adopt(struct live *l, const struct keeper *before, const int stdio[3], double seconds,
	       bool *ret_ready, struct err *e)
{
	again_started(&l->history, clock_ms());
	keeper_pass(before, false);
	l->lock = before->lock;
	l->run = before->run;
	l->run.listener = before->listener;
	l->cgroup = before->cgroup;
	l->made = before->made;
	l->notices = before->notices;
	l->logging = before->logging;
	l->logging.name = l->name;
	l->logging.run_dir = l->dirs->run;
	logging_adopt(&l->logging);
	l->signals = keeper_signals();
	memcpy(l->stdio, stdio, sizeof(l->stdio));
	int r = refuse(l, e); /* first: the service may be waiting for an answer */
	if (r == 0 && running_read(l->dirs, l->name, &l->running) < 0)
		r = err_set(e, -EIO, "%s: its notes in %s cannot be read", l->name, l->dirs->run);
	if (r == 0) /* what runs: `current` may be another one by now */
		r = generation_load_number(l->dirs, l->name, l->running.generation, &l->generation,
					   e);
	if (r == 0)
		r = load_generation(l, e);
	l->logging.set.where = r == 0 ? l->spec->syslog : NULL;
	l->ipc = ipc_observe();
	return r == 0 ? settle(l, true, seconds, ret_ready, e) : r;
}

/* Whom each connection's jail may reach cannot be held. */
static int check_peers(const struct live *l, struct err *e)
{
	struct peers peers CLEANUP_PEERS = {0};

	if (!peers_of(l->spec, &peers))
		return 0;
	return err_set(e, -EOPNOTSUPP,
		       "%s: whom it may reach (ConnectTo=, IPAddressDeny=, SocketBindDeny=) "
		       "cannot be held where each connection is a jail of its own: immure start "
		       "serves them in one",
		       l->name);
}

static int load_one(struct live *l, struct err *e)
{
	int r = generation_load(l->dirs, l->name, &l->generation, e);

	if (r == 0)
		r = load_generation(l, e);
	if (r == 0 && !l->spec->accept)
		return -EINVAL;
	if (r == 0)
		r = require_check(l->spec, e);
	return r == 0 ? check_peers(l, e) : r;
}

/* RUN is there for whoever holds a lock in it, and these hold none. */
static int open_shared_logging(struct live *l, struct err *e)
{
	CLEANUP_FD int run = running_dir(l->dirs, e);

	l->logging.shared = true; /* among all that run at once */
	return run < 0 ? run : open_logging(l, e);
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
	/* Where nobody is there beside the jail no relay is: only what needs none. */
	if (r == 0 && l->generation.layout.syslog && logging_is_daemon(l->spec->syslog))
		r = open_shared_logging(l, e);
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

static int begin_one(struct live *l, struct err *e)
{
	int r = make_plan(l, e);

	l->plan.same_pid = l->plan.forks = false; /* no script asks for its number */
	l->plan.stays = false;			  /* nor is anything done around one connection */
	strv_done(&l->made);			  /* they are for all that run at once */
	if (r == 0 && l->generation.layout.syslog)
		r = open_shared_logging(l, e);
	if (r == 0)
		r = run_start(&l->plan, &l->run, e);
	if (r == 0)
		r = refuse(l, e);
	logging_greet(&l->logging);
	if (r == 0)
		r = run_wait_exec(&l->run, l->spec->timeout_start, e);
	logging_mounted(&l->logging);
	return r;
}

/* Who has called is not kept waiting for what is still to be logged. */
static void hang_up(void)
{
	CLEANUP_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; null > 2 && i < 3; i++)
		dup2(null, i);
}

int live_serve_one(struct live *l, struct err *e)
{
	int r = load_one(l, e);

	if (r < 0)
		return r;
	l->signals = keeper_signals();
	l->ipc = ipc_observe();
	for (int i = 0; i < 3; i++)
		l->stdio[i] = i;
	r = begin_one(l, e);
	while (r == 0 && !l->asked && !run_over(&l->run)) {
		struct pollfd pfd[] = {{.fd = l->run.ctl, .events = POLLIN},
				       {.fd = l->signals, .events = POLLIN},
				       {.fd = logging_fd(&l->logging), .events = POLLIN}};
		if (poll(pfd, ARRAY_LEN(pfd), -1) > 0 && pfd[1].revents)
			live_signal(l);
		logging_serve(&l->logging);
		if (run_poll(&l->run, 0))
			break;
	}
	if (r == 0)
		hang_up();
	return r;
}

/* What a start that came to nothing has left, by force only where it must be. */
static void end_start(struct live *l)
{
	if (l->plan.stays && l->run.init_fd >= 0 && !l->settled)
		errands_settle(l, l->spec->kill_signal);
}

void live_abandon(struct live *l, const struct err *e)
{
	if (l->stdio[2] >= 0)
		dprintf(l->stdio[2], "immure: %s\n", e->msg);
	end_start(l);
	run_end(&l->run);
	if (!l->run.main_exited || l->result) { /* it may have ended well when it was told to */
		l->run.main_exited = true;
		l->run.main_status = 1 << 8;
	}
}

void live_done(struct live *l)
{
	/* It ended as a service should: asked to, or done with its work. */
	bool well = l->asked || !l->run.main_exited || l->run.main_status == 0;

	publish_done(&l->publish);
	if (!l->attached) {
		end_start(l);
		run_end(&l->run);
		logging_close(&l->logging);
		cgroup_remove(&l->cgroup);
	} else { /* attached: they are the supervisor's */
		fd_close(&l->run.init_fd);
		fd_close(&l->run.main_fd);
		cgroup_forget(&l->cgroup);
	}
	refusals_stop(l->refusals);
	confinement_done(&l->confinement);
	make_undo(&l->made);
	strv_done(&l->made);
	fd_close(&l->plan.root);
	plan_done(&l->plan);
	ipc_settings_free(l->ipc);
	command_set_done(&l->commands);
	generation_done(&l->generation);
	spec_free(l->spec);
	fd_close(&l->signals);
	fd_close(&l->users);
	fd_close(&l->notices.socket);
	passed_done(&l->passed);
	if (l->lock >= 0) {
		if (well)
			running_remove(l->dirs, l->name, "json");
		running_remove(l->dirs, l->name, "counts");
		running_remove_own_dir(l->dirs, l->name);
		running_remove(l->dirs, l->name, "lock");
	}
	fd_close(&l->lock);
}

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

/* The processes of the run by its notes: what they say is true as long as the lock is held, and a
 * descriptor taken meanwhile stays right. */
static int attach_run(struct live *l, struct err *e)
{
	struct run *r = &l->run;
	struct running again;
	char path[40];

	if (running_read(l->dirs, l->name, &l->running) < 0 || !running_held(l->dirs, l->name))
		return err_set(e, -EREMOTEIO, "%s does not run: immure start %s", l->name, l->name);
	*r = (struct run)RUN_INIT;
	r->init = l->running.init;
	r->init_fd = pidfd_open(r->init, 0);
	int code = running_read(l->dirs, l->name, &again);
	if (getppid() == again.supervisor)
		again.waiting = false; /* we are an errand of its: it does not wait any more */
	if (r->init_fd < 0 || code < 0 || again.init != r->init || !running_is_init(&again))
		return err_set(e, -EAGAIN, "%s is just starting or stopping; try again", l->name);
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
	struct running now;

	l->attached = true;
	if (!running_held(l->dirs, l->name) || running_read(l->dirs, l->name, &now) < 0)
		return err_set(e, -EREMOTEIO, "%s does not run: immure start %s", l->name, l->name);
	int r = generation_load_number(l->dirs, l->name, now.generation, &l->generation, e);
	if (r == 0)
		r = load_generation(l, e);
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
