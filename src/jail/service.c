/* SPDX-License-Identifier: MIT */
#include "jail/service.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "confine/run.h"
#include "fs/atomic.h"
#include "fs/beneath.h"
#include "fs/lock.h"
#include "jail/command.h"
#include "jail/mounts.h"
#include "jail/output.h"
#include "jail/ready.h"
#include "jail/rebind.h"

struct live {
	const struct dirs *dirs;
	const char *name;
	struct spec *spec;
	struct generation generation;
	struct command_set commands;
	struct plan plan;
	struct run run;
	int lock;
	struct strv made; /* directories of the host that this start has made */
	bool asked;	  /* to end: by a signal to the supervisor */
};

static const struct {
	const char *name;
	int lsb;
} states[] = {
    [SERVICE_RUNNING] = {"running", 0},
    [SERVICE_DEAD] = {"dead", 1},
    [SERVICE_STOPPED] = {"stopped", 3},
    [SERVICE_UNKNOWN] = {"unknown", 4},
};

const char *service_state_name(enum service_state s)
{
	return states[s].name;
}

int service_state_code(enum service_state s)
{
	return states[s].lsb;
}

static int run_dir(const struct dirs *d, struct err *e)
{
	int r = jail_make_dir(d->run, 0755, e);
	if (r < 0)
		return r;
	int fd = open(d->run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_errno(e, -errno, "opening %s", d->run) : fd;
}

static int hold_lock(struct live *l, struct err *e)
{
	CLEANUP_FD int dir = run_dir(l->dirs, e);
	char name[96];

	if (dir < 0)
		return dir;
	snprintf(name, sizeof(name), "%s.lock", l->name);
	l->lock = lock_try(dir, name, e);
	return l->lock < 0 ? l->lock : 0;
}

static int load(struct live *l, struct err *e)
{
	int r = generation_load(l->dirs, l->name, &l->generation, e);

	if (r < 0)
		return r;
	l->spec = spec_new(l->name);
	r = spec_parse(l->spec, l->generation.spec_text, strlen(l->generation.spec_text),
		       "the proved spec", e);
	return r == 0 ? command_set_make(l->spec, &l->commands, e) : r;
}

static int make_plan(struct live *l, const int stdio[3], struct err *e)
{
	CLEANUP_STR char *root = path_join(l->generation.dir, "root");
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	int r = layout_create(&l->generation.layout, host, &l->made, e);
	if (r < 0)
		return r;
	command_set_plan(&l->commands, l->spec, &l->plan);
	memcpy(l->plan.stdio, stdio, sizeof(l->plan.stdio));
	l->plan.root = open_tree(AT_FDCWD, root, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (l->plan.root < 0)
		return err_errno(e, -errno, "taking hold of %s", root);
	return mounts_sealed(&l->plan, &l->generation.layout, l->generation.dir, e);
}

static int write_state(const struct live *l, struct err *e)
{
	CLEANUP_FD int dir = run_dir(l->dirs, e);
	char started[CLOCK_TEXT_MAX], file[96];

	if (dir < 0)
		return dir;
	snprintf(file, sizeof(file), "%s.json", l->name);
	json_t *j = json_pack("{si si si si ss}", "schema", 1, "init", (int)l->run.init,
			      "supervisor", (int)getpid(), "generation", l->generation.number,
			      "started", clock_text(started));
	json_object_set_new(j, "main", json_integer(l->run.main));
	CLEANUP_STR char *text = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(j);
	int r = atomic_write(dir, file, text, strlen(text), 0644);
	return r < 0 ? err_errno(e, r, "writing %s/%s", l->dirs->run, file) : 0;
}

static void remove_file(const struct dirs *d, const char *name, const char *suffix)
{
	CLEANUP_FD int dir = run_dir(d, NULL);
	char file[96];

	snprintf(file, sizeof(file), "%s.%s", name, suffix);
	if (dir >= 0)
		unlinkat(dir, file, 0);
}

/* Whether it ended as a service should: asked to, or done with its work. */
static bool ended_well(const struct live *l)
{
	return l->asked || !l->run.main_exited || l->run.main_status == 0;
}

static int begin(struct live *l, const int stdio[3], struct err *e)
{
	int r = load(l, e);

	if (r == 0)
		r = make_plan(l, stdio, e);
	if (r == 0)
		r = run_start(&l->plan, &l->run, e);
	if (r == 0)
		r = run_wait_exec(&l->run, l->spec->timeout_start, e);
	return r == 0 ? write_state(l, e) : r;
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

static void live_done(struct live *l)
{
	bool well = ended_well(l);

	run_end(&l->run);
	remove_runtime(l);
	strv_done(&l->made);
	fd_close(&l->plan.root);
	plan_done(&l->plan);
	command_set_done(&l->commands);
	generation_done(&l->generation);
	spec_free(l->spec);
	if (l->lock >= 0 && well)
		remove_file(l->dirs, l->name, "json");
	if (l->lock >= 0)
		remove_file(l->dirs, l->name, "lock");
	fd_close(&l->lock);
}

static int signals(void)
{
	static const int passed[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(passed); i++)
		sigaddset(&set, passed[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int patience_ms(const struct spec *s)
{
	return s->timeout_stop > 0 && s->timeout_stop < 1e6 ? (int)(s->timeout_stop * 1000) : -1;
}

/* A service whose main process has failed takes what is left of it with it; one that put itself
 * into the background has not failed. */
static bool over(const struct live *l)
{
	return l->run.main_exited && (l->run.main_status != 0 || !run_alive(&l->run));
}

static void take_signal(struct live *l, int sigfd)
{
	struct signalfd_siginfo si;

	if (read(sigfd, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;
	int sig = (int)si.ssi_signo;
	l->asked |= sig == SIGTERM || sig == SIGINT;
	if (sig == SIGTERM || sig == SIGINT)
		run_stop(&l->run, sig == SIGTERM ? l->spec->kill_signal : sig,
			 patience_ms(l->spec));
	else
		run_signal(&l->run, sig);
}

static void watch(struct live *l, int sigfd)
{
	struct rebind rb CLEANUP_REBIND = REBIND_INIT;

	rebind_open(&rb, &l->generation.layout);
	while (l->run.ctl >= 0 && !over(l)) {
		struct pollfd pfd[] = {{.fd = l->run.ctl, .events = POLLIN},
				       {.fd = sigfd, .events = POLLIN},
				       {.fd = rb.inotify, .events = POLLIN}};
		int n = poll(pfd, ARRAY_LEN(pfd), rebind_wait(&rb));
		if (n < 0)
			continue;
		if (n == 0 || pfd[2].revents)
			rebind_serve(&rb, &l->run);
		else if (pfd[1].revents)
			take_signal(l, sigfd);
		else if (run_poll(&l->run, 0))
			break;
	}
}

int service_run(const struct dirs *d, const char *name, int *ret_status, struct err *e)
{
	struct live l = {.dirs = d, .name = name, .run = RUN_INIT, .lock = -1};
	const int stdio[3] = {0, 1, 2};
	CLEANUP_FD int sigfd = signals();

	plan_init(&l.plan);
	int r = hold_lock(&l, e);
	if (r == 0)
		r = begin(&l, stdio, e);
	if (r == 0) {
		watch(&l, sigfd);
		*ret_status = l.run.main_status;
	}
	live_done(&l);
	return r;
}

/* --- in the background --- */

/* The service gets the writing end alone: what it printed before is not its to read. */
static int open_log(const struct dirs *d, const char *name, int flags, struct err *e)
{
	CLEANUP_STR char *path = xasprintf("%s/jails/%s/output.log", d->state, name);
	int fd = open(path, flags | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);

	return fd < 0 ? err_errno(e, -errno, "opening %s", path) : fd;
}

static int wait_ready(struct live *l, int log, struct err *e)
{
	struct rest rest CLEANUP(rest_done) = {0};
	double limit_s = l->spec->timeout_start > 0 ? l->spec->timeout_start : 1e9;

	double end = clock_now() + limit_s;

	while (clock_now() < end) {
		if (run_poll(&l->run, READY_TICK_MS) || over(l)) {
			CLEANUP_STR char *tail = output_tail(log);
			return err_set(e, -ECHILD, "%s ended before it was ready%s%s", l->name,
				       tail[0] ? "; its last output:\n" : "", tail);
		}
		if (rest_look(&rest, &l->run, &l->generation.listeners, 0))
			return 0;
	}
	return err_set(e, -ETIME, "%s did not get ready within %.0f s", l->name, limit_s);
}

static NORETURN void supervise(struct live *l, int report)
{
	struct err e = {0};
	CLEANUP_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	if (chdir("/") < 0) /* the caller's directory is not ours to hold */
		_exit(1);
	prctl(PR_SET_NAME, "immure-run");
	int sigfd = signals();
	int log = open_log(l->dirs, l->name, O_WRONLY | O_APPEND, &e);
	CLEANUP_FD int tail = open_log(l->dirs, l->name, O_RDONLY, NULL);
	const int stdio[3] = {null, log, log};
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	int r = log < 0 ? log : begin(l, stdio, &e);
	if (r == 0)
		r = wait_ready(l, tail, &e);
	fd_write_all(report, &e, sizeof(e));
	close(report);
	if (r == 0)
		watch(l, sigfd);
	live_done(l);
	_exit(r < 0);
}

int service_start(const struct dirs *d, const char *name, struct err *e)
{
	struct live l = {.dirs = d, .name = name, .run = RUN_INIT, .lock = -1};
	struct err said = {0};
	int report[2];

	if (!generation_number(d, name))
		return generation_load(d, name, &l.generation, e);
	int r = hold_lock(&l, e);
	if (r == -EBUSY)
		return 1;
	if (r < 0)
		return r;
	plan_init(&l.plan);
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

static bool lock_is_held(const struct dirs *d, const char *name)
{
	char file[96];
	CLEANUP_FD int dir = open(d->run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	snprintf(file, sizeof(file), "%s.lock", name);
	if (dir < 0 || faccessat(dir, file, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	CLEANUP_FD int lock = lock_try(dir, file, NULL);
	if (lock >= 0)
		unlinkat(dir, file, 0);
	return lock == -EBUSY;
}

static int read_state(const struct dirs *d, const char *name, struct service_status *s)
{
	char file[96];
	CLEANUP_STR char *text = NULL;
	const char *started;
	int init, supervisor, main_pid;
	CLEANUP_FD int dir = open(d->run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	snprintf(file, sizeof(file), "%s.json", name);
	int r = dir < 0 ? -errno : atomic_read(dir, file, 4096, &text, NULL);
	if (r < 0)
		return r;
	json_t *j = json_loads(text, 0, NULL);
	if (!j ||
	    json_unpack(j, "{si si si ss si}", "init", &init, "supervisor", &supervisor,
			"generation", &s->generation, "started", &started, "main", &main_pid) < 0) {
		json_decref(j);
		return -EBADMSG;
	}
	snprintf(s->started, sizeof(s->started), "%s", started);
	json_decref(j);
	s->init = init;
	s->supervisor = supervisor;
	s->pid = main_pid;
	return 0;
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

int service_status(const struct dirs *d, const char *name, struct service_status *ret,
		   struct err *e)
{
	struct service_status s = {.state = SERVICE_UNKNOWN};
	struct pid_list pids CLEANUP_PIDS = {0};

	s.generation = generation_number(d, name);
	if (!s.generation) {
		*ret = s;
		return err_set(e, -ENOENT, "no jail named '%s'", name);
	}
	bool held = lock_is_held(d, name);
	int r = read_state(d, name, &s);
	/* A state file without a holder of the lock: it ended badly, or its supervisor was killed.
	 */
	s.state = held ? SERVICE_RUNNING : r == 0 ? SERVICE_DEAD : SERVICE_STOPPED;
	if (held && r == 0) {
		struct run run = {.init = s.init, .main = s.pid, .init_fd = -1, .ctl = -1};
		run_pids(&run, &pids);
		bool there = false;
		for (size_t i = 0; i < pids.n; i++)
			there |= pids.v[i] == s.pid;
		if (!there)
			s.pid = pids.n ? pids.v[0] : 0;
		s.processes = pids.n;
		s.memory = resident(&pids);
	} else {
		s.pid = s.init = s.supervisor = 0;
		s.started[0] = '\0';
	}
	*ret = s;
	return 0;
}

int service_stop(const struct dirs *d, const char *name, struct err *e)
{
	struct service_status s;
	int r = service_status(d, name, &s, e);

	if (r < 0)
		return r;
	if (s.state != SERVICE_RUNNING) {
		remove_file(d, name, "json"); /* what a dead one left */
		return 1;
	}
	CLEANUP_FD int fd = s.supervisor > 0 ? pidfd_open(s.supervisor, 0) : -1;
	if (fd < 0 || !lock_is_held(d, name))
		return s.supervisor > 0
			   ? 0
			   : err_set(e, -EBUSY, "%s is just starting; try again", name);
	if (pidfd_send_signal(fd, SIGTERM, NULL, 0) < 0)
		return errno == ESRCH ? 0 : err_errno(e, -errno, "stopping %s", name);
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	while (poll(&pfd, 1, -1) < 0 && errno == EINTR)
		;
	return 0;
}
