/* SPDX-License-Identifier: MIT */
#include "jail/live-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/notify.h"
#include "confine/freezer.h"
#include "confine/ipc.h"
#include "confine/refusals.h"
#include "fs/make.h"
#include "jail/errand.h"
#include "jail/pid-files.h"
#include "jail/ready.h"
#include "keep/keeper.h"
#include "keep/pid-file.h"

/* How often it is started, when a process that puts itself into the background gets another number
 * outside than inside: some other process of the host was made in the same moment. */
#define STARTS_MAX 5

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
		r = begun && n == 1 ? 0 : live_begin(l, e);
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
	int r = live_load(l, e);

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
	l->listens = before->listens;
	l->refused = before->refused;
	l->cgroup = before->cgroup;
	l->made = before->made;
	l->notices = before->notices;
	l->logging = before->logging;
	l->logging.name = l->name;
	l->logging.run_dir = l->dirs->run;
	logging_adopt(&l->logging);
	l->signals = keeper_signals();
	memcpy(l->stdio, stdio, sizeof(l->stdio));
	int r = live_refuse(l, e); /* first: the service may be waiting for an answer */
	if (r == 0 && running_read(l->dirs, l->name, &l->running) < 0)
		r = err_set(e, -EIO, "%s: its notes in %s cannot be read", l->name, l->dirs->run);
	if (r == 0) /* what runs: `current` may be another one by now */
		r = generation_load_number(l->dirs, l->name, l->running.generation, &l->generation,
					   e);
	if (r == 0)
		r = live_load_generation(l, e);
	l->logging.set.where = r == 0 ? l->spec->syslog : NULL;
	l->ipc = ipc_observe();
	return r == 0 ? settle(l, true, seconds, ret_ready, e) : r;
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
