/* SPDX-License-Identifier: MIT */
#include "keep/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/notify.h"
#include "base/path.h"
#include "confine/freezer.h"
#include "fs/beneath.h"
#include "fs/make.h"
#include "keep/errand.h"
#include "keep/note.h"
#include "keep/pid-file.h"

/* What is passed on to the service; TERM and INT end it. */
int keeper_signals(void)
{
	static const int passed[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(passed); i++)
		sigaddset(&set, passed[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* What is at hand while it serves. */
struct service {
	struct keeper *k;
	int dir;     /* RUN */
	int signals; /* signalfd */
	struct rotate rotate;
	struct publish publish;
	struct refusals *refusals;
	unsigned long seen; /* refusals of this run, in k->refused already */
	bool asked;	    /* to end */
	bool hurried;	    /* and asked again */
	long stopping;	    /* since when, by the clock; 0: it is not */
	const char *result; /* how it ended, where the main process does not say; or NULL */
	int signal;	    /* that the service is asked with */
	bool beat_late;	    /* the watchdog has ended it */
	unsigned long beats;
	long beat_due;	/* when the next beat is missed, by the clock; 0: no watchdog */
	long starts_at; /* it waits to be started again, by the clock; 0: it does not */
};

static void remove_own(const struct service *s, const char *suffix)
{
	note_remove(s->dir, s->k->name, suffix);
}

static void tell_counts(const struct service *s)
{
	const struct keeper *k = s->k;
	const char *status = k->notices.status;
	char main_line[32] = "";

	if (k->notices.main)
		snprintf(main_line, sizeof(main_line), "main %d\n", (int)k->notices.main);
	CLEANUP_STR char *text =
	    xasprintf("refused %lu\nrestarts %u\n%s%s%s%s%s", k->refused, k->history.restarts,
		      s->starts_at ? "waiting 1\n" : "", main_line, status[0] ? "status " : "",
		      status, status[0] ? "\n" : "");
	note_put(s->dir, k->name, "counts", text);
}

/* Says which calls were refused, each once, where the service's own output goes. */
static void tell_refusals(struct service *s)
{
	struct keeper *k = s->k;
	struct refusal v[REFUSALS_MAX];
	unsigned long total = 0, before = k->refused;
	size_t n = refusals_look(s->refusals, v, &total);

	for (size_t i = 0; i < n; i++) {
		int nr = v[i].call;
		if (v[i].arch != k->answers.arch || nr < 0 || nr >= REFUSAL_NUMBERS || k->told[nr])
			continue;
		k->told[nr] = true;
		CLEANUP_STR char *number = xasprintf("call %d", nr);
		const char *name = k->calls[nr][0] ? k->calls[nr] : number;
		dprintf(k->log, "immure: %s: refused %s(); immure why %s '%s()' says more\n",
			k->name, name, k->name, name);
	}
	k->refused += total - s->seen;
	s->seen = total;
	if (k->refused != before)
		tell_counts(s);
}

static double spent(const struct service *s)
{
	return (double)(clock_ms() - s->stopping) / 1000;
}

static void take_signal(struct service *s)
{
	struct signalfd_siginfo si;

	if (read(s->signals, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;
	int sig = (int)si.ssi_signo;
	if (sig != SIGTERM && sig != SIGINT) {
		run_signal(&s->k->run, sig);
		return;
	}
	/* Who stops a jail while it is being stopped asks for nothing else; who sits before it may.
	 */
	if (s->asked) {
		s->hurried = !s->k->background && !notify_wanted();
		return;
	}
	s->asked = true;
	if (!s->k->notices.stopping)
		notify_send("STOPPING=1");
	s->signal = sig == SIGTERM ? s->k->kill_signal : sig;
}

static bool is_hurried(void *user)
{
	struct service *s = user;
	struct pollfd pfd = {.fd = s->signals, .events = POLLIN};

	if (poll(&pfd, 1, 0) > 0)
		take_signal(s);
	return s->hurried;
}

/* The service is asked to end, and made to in time; what comes after it has a tenth of that. */
static void stop(struct service *s, int sig)
{
	const struct run_patience patience = {is_hurried, s};
	double left =
	    errand_share(errand_limit(s->k->timeout_stop), spent(s), s->k->stopped ? 9 : 10);

	run_quiet(&s->k->run, sig, left > 0 ? (int)(left * 1000) : -1, &patience);
}

/* The main process has ended: whether another has taken its place, as its pid file says, or, where
 * there is none and it ended well, as long as anybody is left. */
static bool goes_on(struct service *s)
{
	struct run *r = &s->k->run;
	bool well = again_end_by(&s->k->again, r->main_status) == END_CLEAN;

	if (!(s->k->pid_file ? pid_file_follow(r, s->k->pid_file) : well && pid_file_guess(r)))
		return false;
	s->k->notices.main = r->main;
	tell_counts(s);
	return true;
}

/* Its main process has failed, or nothing of it is left. One that put itself into the background
 * has not failed: then it is about the process that stands for it. */
static bool is_over(struct service *s)
{
	struct run *r = &s->k->run;

	if (r->ctl < 0 || !r->main_exited)
		return r->ctl < 0;
	if (r->main_fd >= 0 && goes_on(s))
		return false;
	bool failed = r->main_status != 0 && !exits_has(&s->k->again.success, r->main_status);
	return r->main_fd >= 0 || failed || !run_alive(r);
}

static void take_notices(struct service *s)
{
	struct notices *n = &s->k->notices;
	struct notices before = *n;

	notices_serve(n, &s->k->run, true);
	if (n->main != before.main || strcmp(n->status, before.status) != 0)
		tell_counts(s);
}

/* WatchdogSec= of a service that no init system watches: it has to show that it lives. */
static void watch_beats(struct service *s)
{
	const struct notices *n = &s->k->notices;

	if (!s->beat_due || s->stopping)
		return;
	if (n->beats != s->beats) {
		s->beats = n->beats;
		s->beat_due = clock_ms() + s->k->watchdog_ms;
	}
	if (!n->trigger && clock_ms() < s->beat_due)
		return;
	dprintf(s->k->log, "immure: %s: no sign of life within %.1f s (WatchdogSec=)\n", s->k->name,
		(double)s->k->watchdog_ms / 1000);
	s->beat_late = true;
}

static int soonest(const struct service *s)
{
	int wait = rotate_wait(&s->rotate);
	long left = s->beat_due ? s->beat_due - clock_ms() : -1;

	if (s->beat_due && left < 0)
		left = 0;
	return left >= 0 && (wait < 0 || left < wait) ? (int)left : wait;
}

/* One round: waits until something is to be done, at most @ms (-1: for ever), or @also can be read;
 * false when nothing of the run is left. */
static bool attend(struct service *s, int also, int ms)
{
	struct run *r = &s->k->run;
	int wait = soonest(s);
	struct pollfd pfd[] = {{.fd = r->empty ? -1 : r->ctl, .events = POLLIN},
			       {.fd = s->signals, .events = POLLIN},
			       {.fd = s->rotate.inotify, .events = POLLIN},
			       {.fd = s->publish.inotify, .events = POLLIN},
			       {.fd = s->k->notices.socket, .events = POLLIN},
			       {.fd = refusals_fd(s->refusals), .events = POLLIN},
			       {.fd = logging_fd(&s->k->logging), .events = POLLIN},
			       {.fd = also, .events = POLLIN},
			       {.fd = r->main_exited ? -1 : r->main_fd, .events = POLLIN}};
	int n = poll(pfd, ARRAY_LEN(pfd), ms >= 0 && (wait < 0 || ms < wait) ? ms : wait);

	if (n < 0)
		return true;
	if (n == 0 || pfd[2].revents)
		rotate_serve(&s->rotate, r);
	if (pfd[3].revents)
		publish_serve(&s->publish, r);
	if (pfd[4].revents)
		take_notices(s);
	if (pfd[5].revents)
		tell_refusals(s);
	if (pfd[6].revents)
		logging_serve(&s->k->logging);
	if (pfd[8].revents)
		run_followed_ended(r);
	watch_beats(s);
	if (pfd[1].revents)
		take_signal(s);
	else if (pfd[0].revents && run_poll(r, 0))
		return false;
	return true;
}

static void serve(struct service *s)
{
	while (!is_over(s) && !s->asked && !s->beat_late)
		if (!attend(s, -1, -1))
			break;
}

/* Until it is done, its time is over, the jail's init is gone, or whoever has asked asks again. */
static int wait_errand(struct service *s, struct errand_run *run, double seconds)
{
	const struct run *r = &s->k->run;
	long end = clock_ms() + (long)(seconds * 1000) + ERRAND_GRACE_MS, left = -1;
	struct pollfd pfd = {.fd = run->fd, .events = POLLIN};

	while (!s->hurried && poll(&pfd, 1, 0) <= 0) {
		if (seconds > 0 && (left = end - clock_ms()) <= 0)
			break;
		if (!attend(s, run->fd, (int)left) && !r->empty)
			break;
	}
	return errand_end(run);
}

static void do_errand(struct service *s, enum errand_which which, double seconds)
{
	struct keeper *k = s->k;
	const char *result = s->result ? s->result : errand_result(&k->run, &k->again);
	const struct errand a = {.program = k->program,
				 .name = k->name,
				 .log = k->log,
				 .say = k->log,
				 .users = k->run.users,
				 .result = result,
				 .exited = k->run.main_exited,
				 .status = k->run.main_status};
	struct errand_run run;
	struct pollfd gone = {.fd = k->run.init_fd, .events = POLLIN};

	if (k->run.init_fd < 0 || poll(&gone, 1, 0) > 0)
		return; /* killed: there is no jail any more to run it in */
	int r = errand_begin(&a, which, seconds, &run);
	if (r == 0)
		r = wait_errand(s, &run, seconds);
	if (r == -ETIME)
		dprintf(k->log, "immure: %s: Exec%s= took too long\n", k->name,
			which == ERRAND_STOP ? "Stop" : "StopPost");
	if (r && !s->result)
		s->result = r == -ETIME ? "timeout" : "exit-code";
}

/* It was asked to, or has ended by itself, as it should or not: what systemd.service(5) has then.
 */
static void wind_up(struct service *s)
{
	struct keeper *k = s->k;
	struct run *r = &k->run;
	bool well =
	    s->asked || (r->main_exited && again_end_by(&k->again, r->main_status) == END_CLEAN);

	s->stopping = clock_ms();
	freezer_set(&k->cgroup, false); /* what is frozen hears nothing */
	if (s->beat_late)
		s->result = "watchdog";
	if (k->stop && well && !s->beat_late)
		do_errand(s, ERRAND_STOP,
			  errand_share(errand_limit(s->k->timeout_stop), spent(s), 8));
	if (s->beat_late)
		stop(s, SIGABRT);
	else if (s->asked || k->stop || k->stopped || r->main_fd >= 0)
		stop(s, s->asked ? s->signal : k->kill_signal);
	if (k->stopped)
		do_errand(s, ERRAND_STOPPED,
			  errand_share(errand_limit(s->k->timeout_stop), spent(s), 10));
}

/* Unix sockets that were made for it: a name that nobody listens on says "refused" to clients that
 * would know how to wait. */
static void remove_sockets(const struct keeper *k)
{
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < k->sockets.n; i++) {
		const char *name = path_base(k->sockets.v[i]);
		struct stat st;
		CLEANUP_STR char *up = path_parent(k->sockets.v[i]);
		CLEANUP_FD int dir = beneath_open_nolink(host, up, O_PATH | O_DIRECTORY, 0);
		if (dir >= 0 && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISSOCK(st.st_mode))
			unlinkat(dir, name, 0);
	}
}

/* Nothing of the run stays: processes, then what was made for them. */
static void clear(struct service *s)
{
	struct keeper *k = s->k;

	publish_done(&s->publish);
	k->published = NULL;
	k->n_published = 0;
	rotate_done(&s->rotate);
	tell_refusals(s);
	run_end(&k->run);
	logging_close(&k->logging);
	cgroup_remove(&k->cgroup);
	refusals_stop(s->refusals);
	s->refusals = NULL;
	fd_close(&k->notices.socket);
	notices_remove(s->dir, k->name);
	make_undo(&k->made);
}

/* Until it is time to start again, or somebody ends it. */
static void wait_for_start(struct service *s, long ms)
{
	s->starts_at = clock_ms() + ms;
	tell_counts(s);
	while (!s->asked) {
		struct pollfd pfd = {.fd = s->signals, .events = POLLIN};
		long left = s->starts_at - clock_ms();
		if (left <= 0)
			break;
		if (poll(&pfd, 1, left > 60000 ? 60000 : (int)left) > 0)
			take_signal(s);
	}
}

/* In our place comes immure, which starts the jail again under the lock that we hold. Returns only
 * where that cannot be. */
static void start_again(struct service *s)
{
	struct keeper *k = s->k;
	size_t len = 0;

	k->history.restarts++;
	CLEANUP_STR char *bytes = keeper_write(k, &len);
	CLEANUP_FD int image = fd_memory("keeper", bytes, len);
	CLEANUP_STR char *number = xasprintf("%d", image), *name = xstrdup(k->name);
	char program[] = "immure", verb[] = "resume";
	char *const argv[] = {program, verb, name, number, NULL};
	const int kept[] = {image, k->lock, k->log};

	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		fcntl(kept[i], F_SETFD, 0);
	for (size_t i = 0; i < k->n_passed; i++)
		fcntl(k->passed[i], F_SETFD, 0);
	fexecve(k->program, argv, environ);
	dprintf(k->log, "immure: %s: starting it again: %m\n", k->name);
}

static void consider_again(struct service *s, int status)
{
	struct keeper *k = s->k;
	long now = clock_ms();
	long last = k->history.starts[(k->history.n_starts - 1) % AGAIN_STARTS_MAX];

	k->history.in_row = now - last > k->again.interval_ms ? 0 : k->history.in_row + 1;
	long delay = s->beat_late ? again_delay(&k->again, &k->history, END_WATCHDOG, now)
				  : again_delay_by(&k->again, &k->history, status, now);
	if (delay == -2)
		dprintf(k->log, "immure: %s: started %u times within %.0f s: given up\n", k->name,
			k->again.burst, (double)k->again.interval_ms / 1000);
	if (delay < 0)
		return;
	dprintf(k->log, "immure: %s: ended (%s %d), is started again in %.1f s\n", k->name,
		WIFSIGNALED(status) ? "signal" : "exit status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), (double)delay / 1000);
	wait_for_start(s, delay);
	if (!s->asked)
		start_again(s);
}

static void pass(int fd, bool through)
{
	if (fd > 2)
		fcntl(fd, F_SETFD, through ? 0 : FD_CLOEXEC);
}

void keeper_pass(const struct keeper *k, bool through)
{
	const int own[] = {k->lock,	   k->program,	 k->log,
			   k->listener,	   k->run.ctl,	 k->run.init_fd,
			   k->run.main_fd, k->run.users, k->notices.socket};
	int of_log[LOGGING_FDS];
	size_t n = logging_fds(&k->logging, of_log);

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		pass(own[i], through);
	for (size_t i = 0; i < k->n_passed; i++)
		pass(k->passed[i], through);
	for (size_t i = 0; i < n; i++)
		pass(of_log[i], through);
}

static void begin(struct service *s)
{
	struct keeper *k = s->k;

	keeper_pass(k, false);
	s->dir = open(k->run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->signals = keeper_signals();
	if (k->listener >= 0)
		refusals_start(take_fd(&k->listener), &k->answers, &k->listens, &s->refusals, NULL);
	logging_adopt(&k->logging);
	rotate_open(&s->rotate, k->files, k->n_files, &k->run);
	publish_adopt(&s->publish, k->published, k->n_published, &k->run);
	if (!k->pid_file && k->run.main_exited && pid_file_guess(&k->run))
		k->notices.main = k->run.main;
	if (k->watchdog_ms && k->notices.socket >= 0)
		s->beat_due = clock_ms() + k->watchdog_ms;
	tell_counts(s);
}

int keeper_run(struct keeper *k)
{
	struct service s = {
	    .k = k, .rotate = ROTATE_INIT, .publish = PUBLISH_INIT, .dir = -1, .signals = -1};

	begin(&s);
	serve(&s);
	wind_up(&s);
	/* The init has gone before the service's first process: somebody has killed it. */
	if (!s.asked && !k->run.main_exited)
		k->run.main_status = SIGKILL;
	int status = k->run.main_status;
	bool clean = again_end_by(&k->again, status) == END_CLEAN;
	bool well = s.asked || status == 0 || exits_has(&k->again.success, status) ||
		    (k->run.main_fd >= 0 && clean);
	clear(&s);
	if (k->background && !s.asked)
		consider_again(&s, status);
	remove_sockets(k);
	if (well || s.asked) /* which may have come while it waited */
		remove_own(&s, "json");
	remove_own(&s, "counts");
	remove_own(&s, "lock");
	return status;
}
