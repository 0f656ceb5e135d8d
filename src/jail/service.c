/* SPDX-License-Identifier: MIT */
#include "jail/service.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/notify.h"
#include "base/path.h"
#include "confine/peers.h"
#include "fs/atomic.h"
#include "jail/compiled.h"
#include "jail/freeze.h"
#include "jail/live.h"
#include "jail/output.h"
#include "jail/ready.h"
#include "jail/reload.h"
#include "jail/resources.h"
#include "jail/running.h"
#include "jail/upgrade.h"
#include "keep/keeper.h"

static const struct {
	const char *name;
	int lsb;
} states[] = {
    [SERVICE_RUNNING] = {"running", 0},	      [SERVICE_DEAD] = {"dead", 1},
    [SERVICE_STOPPED] = {"stopped", 3},	      [SERVICE_UNKNOWN] = {"unknown", 4},
    [SERVICE_RESTARTING] = {"restarting", 3},
};

const char *service_state_name(enum service_state s)
{
	return states[s].name;
}

int service_state_code(enum service_state s)
{
	return states[s].lsb;
}

/* A service that is to be told nothing of readiness (its init system is) gets this long to come to
 * rest before its pid files are looked at. */
#define FOREGROUND_REST_S 30

/* The manager's main process stays this one: its signals come here, and are passed on. */
static void tell_ready(const struct live *l)
{
	CLEANUP_STR char *lines = xasprintf("READY=1\nSTATUS=generation %d, pid %d",
					    l->generation.number, (int)run_main(&l->run, NULL));

	notify_send(lines);
}

/* Whether our standard input is a connection: inetd(8), xinetd, Accept=yes of a socket unit. */
static bool has_connection(void)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);

	return getpeername(0, (struct sockaddr *)&a, &len) == 0;
}

/* 1 where the jail is none that serves one connection at a time. */
static int run_for_one(const struct dirs *d, const char *name, int *ret_status, struct err *e)
{
	struct live l CLEANUP_LIVE;

	live_init(&l, d, name);
	int r = live_serve_one(&l, e);
	*ret_status = l.run.main_status;
	return r == -EINVAL && l.spec && !l.spec->accept ? 1 : r;
}

static const int own_streams[3] = {0, 1, 2};

static double foreground_rest(void)
{
	return notify_wanted() ? 0 : FOREGROUND_REST_S;
}

/* The rest of a run in the foreground. */
static int serve_on(struct live *l, bool ready, int *ret_status, struct err *e)
{
	if (l->running.note[0])
		dprintf(2, "immure: %s\n", l->running.note);
	if (ready)
		tell_ready(l);
	if (!l->asked && !run_over(&l->run))
		return live_hand_over(l, e);
	*ret_status = l->run.main_status;
	return 0;
}

/* What @image, a memory file, says; borrows from *ret_bytes. */
static int read_image(int image, char **ret_bytes, struct keeper *ret, struct err *e)
{
	size_t len = 0;
	int r =
	    lseek(image, 0, SEEK_SET) < 0 ? -errno : fd_read_all(image, 1 << 20, ret_bytes, &len);

	r = r < 0 ? err_errno(e, r, "reading what is handed over")
		  : keeper_read(*ret_bytes, len, ret, e);
	close(image);
	return r;
}

int service_run(const struct dirs *d, const char *name, int *ret_status, struct err *e)
{
	int one = has_connection() ? run_for_one(d, name, ret_status, e) : 1;
	if (one <= 0)
		return one;
	struct live l CLEANUP_LIVE;
	bool ready;

	live_init(&l, d, name);
	int r = live_lock(&l, e);
	if (r == 0)
		r = live_start(&l, own_streams, foreground_rest(), &ready, e);
	if (r < 0)
		return r;
	compiled_save(&l);
	return serve_on(&l, ready, ret_status, e);
}

int service_adopt(const struct dirs *d, const char *name, int image, int *ret_status, struct err *e)
{
	static struct keeper before;
	CLEANUP_STR char *bytes = NULL;
	struct live l CLEANUP_LIVE;
	bool ready;

	live_init(&l, d, name);
	int r = read_image(image, &bytes, &before, e);
	if (r == 0)
		r = live_adopt(&l, &before, own_streams, foreground_rest(), &ready, e);
	return r < 0 ? r : serve_on(&l, ready, ret_status, e);
}

int service_export_plan(const struct dirs *d, const char *name, const char *path, struct err *e)
{
	struct live l;
	size_t len = 0;
	CLEANUP_STR char *bytes = NULL;

	live_init(&l, d, name);
	int r = live_pack(&l, &bytes, &len, e);
	live_done(&l);
	if (r < 0)
		return r;
	CLEANUP_STR char *up = strchr(path, '/') ? path_parent(path) : xstrdup(".");
	CLEANUP_FD int dir = open(up, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = dir < 0 ? -errno : atomic_write(dir, path_base(path), bytes, len, 0600);
	return r < 0 ? err_errno(e, r, "writing %s", path) : 0;
}

/* --- in the background --- */

/* The service gets the writing end alone: what it printed before is not its to read. */
static int open_log(const struct dirs *d, const char *name, int flags, struct err *e)
{
	CLEANUP_STR char *path = jail_path(d, name, "output.log");
	int fd = open(path, flags | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);

	return fd < 0 ? err_errno(e, -errno, "opening %s", path) : fd;
}

static int not_ready(const struct live *l, int log, struct err *e)
{
	CLEANUP_STR char *tail = output_tail(log);

	if (l->asked)
		return err_set(e, -EINTR, "%s was stopped before it was ready", l->name);
	if (l->run.ctl < 0 || run_over(&l->run))
		return err_set(e, -ECHILD, "%s ended before it was ready%s%s", l->name,
			       tail[0] ? "; its last output:\n" : "", tail);
	return err_set(e, -ETIME, "%s did not get ready within %.0f s", l->name,
		       l->spec->timeout_start);
}

static int start_quietly(struct live *l, struct err *e)
{
	CLEANUP_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	CLEANUP_FD int tail = open_log(l->dirs, l->name, O_RDONLY, NULL);
	int log = open_log(l->dirs, l->name, O_WRONLY | O_APPEND, e); /* as long as it is served */
	const int stdio[3] = {null, log, log};
	bool ready = false;

	l->background = true;
	int r = log < 0 ? log : live_start(l, stdio, 0, &ready, e);
	return r == 0 && !ready ? not_ready(l, tail, e) : r;
}

static NORETURN void supervise(struct live *l, int report)
{
	struct err e = {0};
	CLEANUP_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	if (chdir("/") < 0) /* the caller's directory is not ours to hold */
		_exit(1);
	prctl(PR_SET_NAME, "immure-run");
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	int r = start_quietly(l, &e);
	fd_write_all(report, &e, sizeof(e));
	close(report);
	if (r == 0)
		r = live_hand_over(l, &e);
	live_done(l);
	_exit(r < 0);
}

/* The keeper has waited as the spec says, and holds the lock: it is ours now. What does not start
 * is handed over all the same, as a run that has failed: the keeper knows whether to try again. */
int service_resume(const struct dirs *d, const char *name, int image, struct err *e)
{
	static struct keeper before;
	CLEANUP_STR char *bytes = NULL;
	struct live l CLEANUP_LIVE;

	live_init(&l, d, name);
	int r = read_image(image, &bytes, &before, e);
	if (r < 0)
		return r;
	close(before.log); /* opened anew: it may have been rotated */
	l.lock = before.lock;
	l.history = before.history;
	l.passed.n = before.n_passed;
	memcpy(l.passed.fds, before.passed, sizeof(l.passed.fds));
	for (size_t i = 0; i < l.passed.n; i++)
		fcntl(l.passed.fds[i], F_SETFD, FD_CLOEXEC);
	fcntl(l.lock, F_SETFD, FD_CLOEXEC);
	r = start_quietly(&l, e);
	if (r < 0)
		live_abandon(&l, e);
	if (!l.spec) /* the generation cannot be read: nobody knows how to try again */
		return r;
	return live_hand_over(&l, e);
}

int service_start(const struct dirs *d, const char *name, struct err *e)
{
	struct generation none CLEANUP_GENERATION = GENERATION_INIT;
	struct live l;
	struct err said = {0};
	int report[2];

	if (!generation_number(d, name))
		return generation_load(d, name, &none, e);
	live_init(&l, d, name);
	int r = live_lock(&l, e);
	if (r < 0)
		return r == -EBUSY ? 1 : r;
	if (pipe2(report, O_CLOEXEC) < 0)
		return err_errno(e, -errno, "making a pipe");
	pid_t pid = fork();
	if (pid == 0) {
		close(report[0]);
		supervise(&l, report[1]);
	}
	close(report[1]);
	fd_close(&l.lock); /* the supervisor has it */
	if (pid < 0 || read(report[0], &said, sizeof(said)) != (ssize_t)sizeof(said))
		err_set(&said, -EIO, "the supervisor of %s died while starting it", name);
	close(report[0]);
	if (said.code < 0)
		waitpid(pid, NULL, 0);
	return said.code < 0 ? err_set(e, said.code, "%s", said.msg) : 0;
}

static long long resident(const struct pid_list *pids)
{
	long long sum = 0;
	char path[64];

	for (size_t i = 0; i < pids->n; i++) {
		long long pages = 0;
		snprintf(path, sizeof(path), "/proc/%d/statm", pids->v[i]);
		FILE *f = fopen(path, "re");
		if (f && fscanf(f, "%*d %lld", &pages) == 1)
			sum += pages * sysconf(_SC_PAGESIZE);
		if (f)
			fclose(f);
	}
	return sum;
}

/* What runs, of a jail whose lock is held. */
static void look(const struct dirs *d, const struct running *running, const char *name,
		 struct service_status *s)
{
	CLEANUP_STR char *group = resources_group_name(d, name);
	const struct run run = {
	    .init = running->init, .main = running->main, .init_fd = -1, .ctl = -1};
	struct pid_list pids CLEANUP_PIDS = {0};

	run_pids(&run, &pids);
	s->pid = pids.n ? pids.v[0] : 0;
	for (size_t i = 0; i < pids.n; i++)
		if (pids.v[i] == running->main || pids.v[i] == running->told_main)
			s->pid = pids.v[i];
	s->processes = pids.n;
	s->memory = resident(&pids);
	s->init = running->init;
	s->supervisor = running->supervisor;
	s->refused = running->refused;
	peers_refused(running->init, group, &s->peers);
	s->restarts = running->restarts;
	snprintf(s->told, sizeof(s->told), "%s", running->status);
	snprintf(s->started, sizeof(s->started), "%s", running->started);
	snprintf(s->note, sizeof(s->note), "%s", running->note);
}

int service_status(const struct dirs *d, const char *name, struct service_status *ret,
		   struct err *e)
{
	struct service_status s = {.state = SERVICE_UNKNOWN, .peers = {-1, -1}};
	struct running running;

	s.generation = generation_number(d, name);
	if (!s.generation) {
		*ret = s;
		return err_set(e, -ENOENT, "no jail named '%s'", name);
	}
	bool held = running_held(d, name);
	int r = running_read(d, name, &running);
	/* A file without a holder of the lock: it ended badly, or its supervisor was killed. */
	s.state = held	   ? running.waiting ? SERVICE_RESTARTING : SERVICE_RUNNING
		  : r == 0 ? SERVICE_DEAD
			   : SERVICE_STOPPED;
	if (r == 0)
		s.generation = running.generation;
	if (held && r == 0)
		look(d, &running, name, &s);
	s.logs = logging_look(d->run, name, &s.syslog) == 0;
	upgrade_degraded(d, name, s.degraded);
	*ret = s;
	return 0;
}

int service_stop(const struct dirs *d, const char *name, struct err *e)
{
	struct service_status s;
	int r = service_status(d, name, &s, e);

	if (r < 0)
		return r;
	if (s.state != SERVICE_RUNNING && s.state != SERVICE_RESTARTING) {
		running_remove(d, name, "json"); /* what a dead one left */
		running_remove(d, name, "counts");
		running_remove_own_dir(d, name);
		return 1;
	}
	CLEANUP_FD int fd = s.supervisor > 0 ? pidfd_open(s.supervisor, 0) : -1;
	if (fd < 0 || !running_held(d, name))
		return s.supervisor > 0
			   ? 0
			   : err_set(e, -EBUSY, "%s is just starting; try again", name);
	freeze_set(d, name, false, NULL); /* what is frozen hears nothing */
	if (pidfd_send_signal(fd, SIGTERM, NULL, 0) < 0)
		return errno == ESRCH ? 0 : err_errno(e, -errno, "stopping %s", name);
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	while (poll(&pfd, 1, -1) < 0 && errno == EINTR)
		;
	return 0;
}

/* ConfigTest= of a jail that runs: where it fails, what runs stays. */
static int test_config(const struct dirs *d, const char *name, struct err *e)
{
	struct reload_answer a CLEANUP_RELOAD_ANSWER = {0};
	struct service_status s;
	int r = service_status(d, name, &s, e);

	if (r < 0 || s.state != SERVICE_RUNNING)
		return r;
	freeze_set(d, name, false, NULL);
	r = reload_jail(d, name, RELOAD_TEST, &a, e);
	return r == -EREMOTEIO ? r
			       : 0; /* else: what does not answer is all the more to be restarted */
}

int service_restart(const struct dirs *d, const char *name, struct err *e)
{
	int r = test_config(d, name, e);

	if (r == 0)
		r = service_stop(d, name, e);
	if (r >= 0)
		r = service_start(d, name, e);
	return r;
}
