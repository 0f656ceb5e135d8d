/* SPDX-License-Identifier: MIT */
/* In this order, and what follows rests on what comes before:
 *
 *   what the caller passes	  sockets, a watchdog, closed descriptors: the long way
 *   start.bin			  root's own, whole, of this version
 *   the lock			  from here on nobody else starts this jail
 *   marks and trees		  all that the plan was made of is as it was
 *   the native service		  is not there, nor anybody in its place
 *   signals blocked		  what comes now is for whoever serves the run later
 *   directories, group, run	  as the long way makes them
 *   the note in RUN		  what `status` reads, of a service that lives or has failed
 *
 * Until the service is executed every doubt leads to the long way, which begins from nothing and
 * says what is wrong. After it, a service that ends at once is seen to here; one that lives is
 * handed to immure-main, in this process's place. */
#include "launch/short.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/ending.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "base/path.h"
#include "base/sockets.h"
#include "confine/carried.h"
#include "confine/ipc.h"
#include "confine/packed.h"
#include "confine/refusals.h"
#include "fs/lock.h"
#include "host/holders.h"
#include "host/idle.h"
#include "keep/dirs.h"
#include "keep/keeper.h"
#include "keep/note.h"
#include "keep/start.h"

/* A service is watched here before it is handed on: most that fail do so at once, and one that is
 * to listen starts undisturbed, because all that immure-main looks at takes processor time from it.
 */
#define FAIL_MS	  10
#define LOOK_MS	  25
#define LISTEN_MS 1000

/* So long it may take to be executed. A call that the filter refuses on the way would wait for an
 * answer that nobody gives here. */
#define EXECUTED_S 1

struct quick {
	const char *name;
	struct dirs dirs;
	char *jail;  /* STATE/jails/NAME */
	int run;     /* RUN */
	int program; /* immure-main */
	int lock, signals;
	struct start start;
	struct packed plan;
	struct cgroup cgroup;
	struct strv made;
	struct logging logging;
	struct notices notices;
	bool noted; /* RUN/NAME.json is there */
	struct run service;
	struct refusals *refusals; /* from the first call that its filter does not let through */
};

/* --- before anything is done --- */

/* What a caller may hand over: inetd(8), sd_listen_fds(3), sd_watchdog_enabled(3). */
static bool caller_is_plain(void)
{
	static const char *const variables[] = {"LISTEN_FDS", "LISTEN_PID", "WATCHDOG_USEC"};
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);

	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		if (getenv(variables[i]))
			return false;
	return geteuid() == 0 && getpeername(0, (struct sockaddr *)&a, &len) < 0;
}

static int read_start(const char *jail, struct start *ret)
{
	CLEANUP_STR char *path = path_join(jail, START_FILE);
	CLEANUP_FD int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != 0 ||
	    st.st_mode & (S_IWGRP | S_IWOTH) || st.st_size > START_MAX)
		return -ENOENT;
	size_t len = (size_t)st.st_size;
	char *bytes = xcalloc(1, len + 1); /* as long as we live, and the init with it */
	return read(fd, bytes, len) == st.st_size ? start_read(bytes, len, ret, NULL) : -EIO;
}

/* The notes of a run that ended badly: something of it may have been left. */
static bool left_over(const struct quick *q)
{
	CLEANUP_STR char *file = xasprintf("%s.json", q->name);

	return faccessat(q->run, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* --- is the native service out of the way (jail/native.c, which says who is not) --- */

static bool nobody_writes(const struct start *s)
{
	struct holders h CLEANUP_HOLDERS = HOLDERS_INIT;

	if (idle_trees(&s->state))
		return true;
	if (holders_writing(&h) < 0)
		return false;
	for (size_t i = 0; i < h.n; i++)
		if (path_nearest(&s->state, h.v[i].what) > path_nearest(&s->others, h.v[i].what))
			return false;
	return true;
}

/* Of UDP at all addresses, bind(2) misses some that have one address of many. */
static bool is_udp_of_one(const char *name)
{
	return str_after(name, "udp:") && !str_after(name, "udp:0.0.0.0:") &&
	       !str_after(name, "udp:[::]:");
}

/* Whoever has such a place may be another jail's, or else: immure-main finds out who. */
static bool nobody_listens(const struct start *s)
{
	struct holders h CLEANUP_HOLDERS = HOLDERS_INIT;
	struct strv others CLEANUP_STRV = STRV_INIT;

	for (size_t i = 0; i < s->listeners.n; i++) {
		const char *name = s->listeners.v[i];
		if (!str_after(name, "tcp:") && !is_udp_of_one(name))
			strv_add(&others, name);
		else if (!socket_is_free(name))
			return false;
	}
	return !others.n || (holders_listening(&others, &h) == 0 && !h.n);
}

static bool native_absent(const struct quick *q)
{
	struct holders h CLEANUP_HOLDERS = HOLDERS_INIT;
	const struct plan *p = &q->plan.plan;

	return nobody_listens(&q->start) && holders_running(p->program, p->argv, &h) == 0 && !h.n &&
	       nobody_writes(&q->start);
}

/* --- the start --- */

static int make_dirs(struct quick *q)
{
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	for (size_t i = 0; i < q->start.n_makes; i++) {
		const struct make *m = &q->start.makes[i];
		if (fstatat(AT_FDCWD, m->path, &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		int r = make_missing(host, m);
		if (r < 0)
			return r;
		strv_add(&q->made, m->path);
	}
	return 0;
}

static int open_log(struct quick *q, struct err *e)
{
	struct logging *l = &q->logging;

	if (!q->start.logs)
		return 0;
	l->name = q->name;
	l->run_dir = q->dirs.run;
	l->set = q->start.log;
	l->program = carried_open("immure-relay", NULL, 0, e);
	return l->program < 0 ? l->program : logging_open(l, e);
}

static int open_notices(struct quick *q, struct err *e)
{
	if (q->start.notices == NOTICES_NONE)
		return 0;
	CLEANUP_FD int dir = notices_dir(q->run, q->name, e);
	return dir < 0 ? dir : notices_open(&q->notices, dir, q->start.notices, e);
}

static int begin(struct quick *q)
{
	static const struct cgroup_limits none = {0};
	struct plan *p = &q->plan.plan;
	struct err e = {0};
	int r = make_dirs(q);

	if (r == 0)
		r = open_log(q, &e);
	if (r == 0)
		r = open_notices(q, &e);
	if (r == 0)
		r = plan_open_root(p, &e);
	if (r < 0)
		return r;
	if (q->start.point)
		cgroup_make_below(q->start.point, q->start.group, &q->cgroup);
	if (!q->cgroup.n)
		cgroup_make(q->start.group, &none, &q->cgroup);
	p->cgroup = q->cgroup.n ? &q->cgroup : NULL;
	p->ipc = ipc_observe();
	plan_note_outside(p);
	r = run_start(p, &q->service, &e);
	logging_greet(&q->logging);
	fd_close(&p->root);
	return r == 0 ? run_wait_exec(&q->service, EXECUTED_S, &e) : r;
}

static int write_note(const struct quick *q)
{
	struct note n = {.generation = q->start.generation,
			 .init = q->service.init,
			 .main = q->service.main,
			 .supervisor = getpid()};

	clock_text(n.started);
	return note_write(q->run, q->name, &n);
}

/* Nothing of the run stays. */
static void clear(struct quick *q)
{
	run_end(&q->service);
	refusals_stop(q->refusals);
	q->refusals = NULL;
	logging_close(&q->logging);
	if (q->notices.socket >= 0)
		notices_remove(q->run, q->name);
	fd_close(&q->notices.socket);
	cgroup_remove(&q->cgroup);
	make_undo(&q->made);
}

static NORETURN void give_up(struct quick *q, int code, const char *what)
{
	dprintf(2, "immure: %s: %s: %s\n", q->name, what, strerror(-code));
	clear(q);
	note_remove(q->run, q->name, "json");
	note_remove(q->run, q->name, "lock");
	_exit(5);
}

static NORETURN void finish(struct quick *q)
{
	/* An init that has gone before it could say how the service ended was killed. */
	int status = q->service.main_exited ? q->service.main_status : SIGKILL;

	if (status != 0)
		write_note(q); /* dead, not stopped */
	else if (q->noted)
		note_remove(q->run, q->name, "json");
	clear(q);
	note_remove(q->run, q->name, "lock");
	ending_as(status);
}

/* immure-main in our place, with all that runs. */
static NORETURN void hand_on(struct quick *q)
{
	static char empty[] = "";
	char *calls[REFUSAL_NUMBERS + 1];
	unsigned long refused = 0;
	size_t len = 0;

	if (q->refusals)
		q->service.listener = refusals_release(q->refusals, &refused);
	for (size_t i = 0; i < REFUSAL_NUMBERS; i++)
		calls[i] = empty;
	calls[REFUSAL_NUMBERS] = NULL;
	const struct keeper k = {
	    .name = q->name,
	    .run_dir = q->dirs.run,
	    .lock = q->lock,
	    .program = -1,
	    .log = 2,
	    .listener = q->service.listener,
	    .listens = listens_of(q->plan.plan.walls->landlock),
	    .refused = refused,
	    .run = q->service,
	    .made = q->made,
	    .cgroup = q->cgroup,
	    .calls = calls,
	    .logging = q->logging,
	    .notices = q->notices,
	};
	CLEANUP_STR char *bytes = keeper_write(&k, &len);
	int image = fd_memory("run", bytes, len);
	CLEANUP_STR char *number = xasprintf("%d", image);
	char program[] = "immure", verb[] = "adopt", *name = xstrdup(q->name);
	char *const argv[] = {program, verb, name, number, NULL};

	if (image < 0)
		give_up(q, image, "writing what immure-main is told");
	fcntl(image, F_SETFD, 0);
	keeper_pass(&k, true);
	short_execute(q->program, argv);
	give_up(q, -errno, "executing immure-main");
}

enum watched { QUIET, WANTED, OVER };

/* A thread, which few services need so early. Where none is to be had the listener has gone: what
 * is not let through is ENOSYS then, and immure-main fails for the same reason. */
static bool serve_calls(struct quick *q)
{
	const struct listens listens = listens_of(q->plan.plan.walls->landlock);
	int listener = take_fd(&q->service.listener);

	return refusals_start(listener, &q->start.answers, &listens, &q->refusals, NULL) == 0;
}

/* For @ms, or until it is over, or somebody wants something of it. */
static enum watched watch(struct quick *q, long ms)
{
	struct run *r = &q->service;
	long end = clock_ms() + ms;
	int listener = r->listener;

	for (long left = ms; left > 0; left = end - clock_ms()) {
		struct pollfd pfd[] = {{.fd = r->ctl, .events = POLLIN},
				       {.fd = refusals_fd(q->refusals), .events = POLLIN},
				       {.fd = q->signals, .events = POLLIN},
				       {.fd = q->notices.socket, .events = POLLIN},
				       {.fd = listener, .events = POLLIN}};
		poll(pfd, ARRAY_LEN(pfd), (int)left);
		if (run_poll(r, 0) || run_over(r))
			return OVER;
		if ((pfd[1].revents | pfd[2].revents | pfd[3].revents) & POLLIN)
			return WANTED;
		if (pfd[4].revents & POLLIN && !serve_calls(q))
			return WANTED;
		if (pfd[4].revents) /* served; or nobody has its filter, and it says so for ever */
			listener = -1;
	}
	return QUIET;
}

/* Only the one table that it would be in: each takes the kernel as long as other starts. */
static bool is_open(const struct quick *q, const char *listener)
{
	struct socket_table t CLEANUP_SOCKET_TABLE = SOCKET_TABLE_INIT;
	size_t kind = strcspn(listener, ":");
	char table[8];
	bool found = false;

	snprintf(table, sizeof(table), "%.*s%s", (int)kind, listener,
		 str_after(listener + kind, ":[") ? "6" : "");
	sockets_read(q->service.init, table, &t);
	for (size_t i = 0; i < t.n; i++)
		found |= t.v[i].waits && streq(t.v[i].name, listener);
	return found;
}

/* Paths of unix sockets are the jail's; there is nothing to wait for. */
static bool is_listening(const struct quick *q)
{
	for (size_t i = 0; i < q->start.listeners.n; i++)
		if (!str_after(q->start.listeners.v[i], "unix:") &&
		    !is_open(q, q->start.listeners.v[i]))
			return false;
	return true;
}

static enum watched watch_until_it_listens(struct quick *q)
{
	enum watched what = QUIET;

	for (long end = clock_ms() + LISTEN_MS;
	     what == QUIET && !is_listening(q) && clock_ms() < end;)
		what = watch(q, LOOK_MS);
	return what;
}

/* Until it is over, or is immure-main's. */
static void attend(struct quick *q)
{
	enum watched what = watch(q, FAIL_MS);

	if (what == OVER)
		finish(q);
	int r = write_note(q);
	if (r < 0)
		give_up(q, r, "writing its notes");
	q->noted = true;
	if (what == QUIET && watch_until_it_listens(q) == OVER)
		finish(q);
	hand_on(q);
}

/* Returns where the long way is to be taken. */
static void start_quickly(struct quick *q)
{
	CLEANUP_STR char *lock = xasprintf("%s.lock", q->name);
	struct err e = {0};
	sigset_t old;

	if (packed_read(q->start.plan, q->start.plan_len, &q->plan, NULL) < 0 ||
	    !q->plan.plan.root_path || !q->plan.plan.walls || !q->plan.plan.filter ||
	    !streq(q->dirs.run, q->start.run_dir))
		return;
	q->run = open(q->dirs.run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	q->lock = q->run < 0 ? -1 : lock_try(q->run, lock, &e);
	if (q->lock < 0)
		return;
	if (!left_over(q) && start_holds(&q->start, q->jail, q->program) && native_absent(q)) {
		sigprocmask(SIG_SETMASK, NULL, &old);
		q->signals = keeper_signals();
		if (begin(q) == 0)
			attend(q);
		clear(q);
		sigprocmask(SIG_SETMASK, &old, NULL);
	}
	note_remove(q->run, q->name, "lock");
	fd_close(&q->lock);
}

void short_execute(int program, char *const argv[])
{
	syscall(SYS_execveat, program, "", argv, environ, AT_EMPTY_PATH);
}

void short_run(const char *name, int program)
{
	static struct quick q = {.run = -1,
				 .lock = -1,
				 .signals = -1,
				 .cgroup = CGROUP_INIT,
				 .logging = LOGGING_INIT,
				 .notices = NOTICES_INIT,
				 .service = RUN_INIT};

	q.name = name;
	q.program = program;
	if (!str_is_name(name) || !caller_is_plain() || dirs_init(&q.dirs, NULL) < 0)
		return;
	q.jail = jail_path(&q.dirs, name, NULL);
	if (read_start(q.jail, &q.start) == 0)
		start_quickly(&q);
}
