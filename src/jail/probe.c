/* SPDX-License-Identifier: MIT */
#include "jail/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/sockets.h"
#include "crypto/crypto.h"
#include "crypto/handshake.h"
#include "fs/dir.h"
#include "grow/supervisor.h"
#include "jail/ready.h"
#include "jail/twin.h"

/* A service with more doors than this is known well enough by the first ones. */
#define MAX_DOORS 32

#define CONNECT_MS 2000
#define STEP_S	   10.0 /* for one step, whatever happens */
#define ENDED	   "the service has ended\n"

void probe_done(struct probe *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].text);
		free(p->v[i].listener);
	}
	free(p->v);
	*p = (struct probe)PROBE_INIT;
}

/* --- what is done -------------------------------------------------------------------------- */

static struct probe_step *add(struct probe *p, enum probe_kind kind, char *text)
{
	p->v = xrealloc(p->v, p->n + 1, sizeof(*p->v));
	p->v[p->n] = (struct probe_step){.kind = kind, .text = text};
	return &p->v[p->n++];
}

static bool in_mask(const char *status, const char *label, int sig)
{
	const char *line = strstr(status, label);
	unsigned long long mask = 0;

	return line && sscanf(line + strlen(label), " %llx", &mask) == 1 && mask >> (sig - 1) & 1;
}

bool probe_catches(const char *status, int sig)
{
	return in_mask(status, "\nSigCgt:", sig);
}

/* Whether it stands in sigwait(3) for @sig: while it does, the kernel does not show it blocked. */
static bool stands_waiting(int task, const char *thread, int sig)
{
	CLEANUP_STR char *syscall = xasprintf("%s/syscall", thread);
	CLEANUP_STR char *mem = xasprintf("%s/mem", thread);
	CLEANUP_STR char *text = NULL;
	CLEANUP_FD int fd = openat(task, syscall, O_RDONLY | O_CLOEXEC);
	CLEANUP_FD int memory = openat(task, mem, O_RDONLY | O_CLOEXEC);
	unsigned long set = 0, mask = 0;
	long nr = -1;

	return fd >= 0 && memory >= 0 && fd_read_all(fd, 4096, &text, NULL) == 0 &&
	       sscanf(text, "%ld %lx", &nr, &set) == 2 && nr == SYS_rt_sigtimedwait &&
	       pread(memory, &mask, sizeof(mask), (off_t)set) == sizeof(mask) &&
	       mask >> (sig - 1) & 1;
}

static bool blocks(int task, const char *thread, int sig)
{
	CLEANUP_STR char *name = xasprintf("%s/status", thread);
	CLEANUP_STR char *text = NULL;
	CLEANUP_FD int fd = openat(task, name, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && fd_read_all(fd, 1 << 16, &text, NULL) == 0 &&
	       in_mask(text, "\nSigBlk:", sig);
}

bool probe_main_waits(const struct run *r, int sig)
{
	struct strv threads CLEANUP_STRV = STRV_INIT;
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/task", run_main(r, NULL));
	CLEANUP_FD int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool all = dir >= 0 && dir_names(dir, &threads) == 0 && threads.n;

	for (size_t i = 0; all && i < threads.n; i++)
		all = blocks(dir, threads.v[i], sig) || stands_waiting(dir, threads.v[i], sig);
	return all;
}

bool probe_main_catches(const struct run *r, int sig)
{
	CLEANUP_STR char *text = NULL;
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/status", run_main(r, NULL));
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && fd_read_all(fd, 1 << 16, &text, NULL) == 0 && probe_catches(text, sig);
}

static bool has_number(const char *text, pid_t number)
{
	for (const char *p = text; *(p += strcspn(p, "0123456789"));) {
		char *end;
		if (strtol(p, &end, 10) == number)
			return true;
		p = end;
	}
	return false;
}

/* Whether the name of a unix socket has a pid in it (Apache's CGI daemon): it has another name each
 * time. */
static bool passing_name(const struct run *r, const char *listener)
{
	struct pid_list pids CLEANUP_PIDS = {0};
	bool found = false;

	if (!str_after(listener, "unix:"))
		return false;
	run_pids(r, &pids);
	for (size_t i = 0; i < pids.n && !found; i++)
		found = has_number(listener, run_pid_inside(pids.v[i]));
	return found;
}

static void add_doors(struct probe *p, const struct run *r, const struct strv *listeners,
		      bool again)
{
	struct sockaddr_storage sa;

	for (size_t i = 0; i < listeners->n && i < MAX_DOORS; i++) {
		const char *name = listeners->v[i];
		if (probe_address(name, &sa) && !passing_name(r, name))
			add(p, PROBE_CONNECT,
			    xasprintf("connect %sto %s", again ? "again " : "", name))
			    ->listener = xstrdup(name);
		else if (!again)
			add(p, PROBE_SKIP, xasprintf("nothing is sent to %s", name));
	}
}

static void add_signal(struct probe *p, int sig, const char *text)
{
	add(p, PROBE_SIGNAL, xstrdup(text))->signal = sig;
}

void probe_make(struct probe *p, const struct run *r, const struct strv *listeners)
{
	probe_done(p);
	add_doors(p, r, listeners, false);
	if (probe_main_catches(r, SIGHUP)) {
		add_signal(p, SIGHUP, "reload (SIGHUP)");
		add_doors(p, r, listeners, true);
	}
	if (probe_main_catches(r, SIGUSR1))
		add_signal(p, SIGUSR1, "reopen logs (SIGUSR1)");
}

/* --- connecting ----------------------------------------------------------------------------- */

socklen_t probe_address(const char *listener, struct sockaddr_storage *ret)
{
	static const struct in6_addr any6 = IN6ADDR_ANY_INIT, here6 = IN6ADDR_LOOPBACK_INIT;
	int type;
	socklen_t len = socket_address(listener, ret, &type);
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

	if (!len || type != SOCK_STREAM)
		return 0;
	if (ret->ss_family == AF_INET && in->sin_addr.s_addr == htonl(INADDR_ANY))
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (ret->ss_family == AF_INET6 && memcmp(&in6->sin6_addr, &any6, sizeof(any6)) == 0)
		in6->sin6_addr = here6;
	return len;
}

struct door {
	const struct probe_step *step;
	const struct place *place;
};

/* 0 or an errno. */
static int connect_in_time(int fd, const struct sockaddr_storage *sa, socklen_t len)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int problem = 0;
	socklen_t size = sizeof(problem);

	if (connect(fd, (const struct sockaddr *)sa, len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (poll(&p, 1, CONNECT_MS) <= 0)
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) < 0 ? errno : problem;
}

/* Where the service's sockets have the names by which it bound them. */
static bool enter_root(const char *root)
{
	return !root[0] || (chroot(root) == 0 && chdir("/") == 0);
}

/* In the helper, inside the world: one line on standard output. */
static int knock(const void *arg)
{
	const struct door *d = arg;
	struct sockaddr_storage sa;
	char tls[HANDSHAKE_TEXT] = HANDSHAKE_NONE;
	socklen_t len = probe_address(d->step->listener, &sa);
	bool local = sa.ss_family == AF_UNIX;

	if (local && !enter_root(d->place->root)) {
		dprintf(2, "entering %s: %s\n", d->place->root, strerror(errno));
		return 1;
	}
	CLEANUP_FD int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int problem = fd < 0 ? errno : connect_in_time(fd, &sa, len);
	if (problem == EPROTOTYPE)
		return dprintf(1, "no stream socket: nothing is sent\n") < 0;
	if (problem) {
		dprintf(2, "connect: %s\n", strerror(problem));
		return 1;
	}
	if (local)
		return dprintf(1, "connected\n") < 0;
	if (!d->step->plain)
		crypto_load(NULL)->handshake(fd, d->place->since, tls);
	return dprintf(1, "connected, %s\n", tls) < 0;
}

/* What the first run has shown belongs to what the exercise is. */
static void learn(struct probe_step *step, const char *more)
{
	char *text = step->known || !more[0] ? NULL : xasprintf("%s%s", step->text, more);

	step->known = true;
	if (!text)
		return;
	free(step->text);
	step->text = text;
}

/* What a port speaks is not known at first; later runs do not wait for it again. */
static void learn_door(struct probe *p, const char *listener, const struct outcome *o)
{
	char text[64] = "";

	if (o->status != 0 || pread(o->out, text, sizeof(text) - 1, 0) < 0)
		return;
	bool plain = !strstr(text, "TLSv");
	for (size_t i = 0; i < p->n; i++) {
		struct probe_step *step = &p->v[i];
		if (step->known || !step->listener || !streq(step->listener, listener))
			continue;
		step->plain = plain;
		learn(step, plain ? "" : ", with a TLS handshake");
	}
}

static int say(const char *text, const char *scratch, struct outcome *ret, struct err *e)
{
	int r = outcome_open(scratch, ret, e);

	if (r == 0 && (r = fd_write_all(ret->out, text, strlen(text))) < 0) {
		outcome_done(ret);
		return err_errno(e, r, "writing to %s", scratch);
	}
	return r;
}

static int try_door(struct probe *p, const struct probe_step *step, const struct place *pl,
		    const char *scratch, struct outcome *ret, struct err *e)
{
	struct place place = *pl;
	const struct door d = {step, &place};

	if (run_poll(pl->run, 0) || !run_alive(pl->run))
		return say(ENDED, scratch, ret, e);
	place.timeout = STEP_S;
	int r = exercise_act(&place, knock, &d, scratch, ret, e);
	if (r == 0)
		learn_door(p, step->listener, ret);
	return r;
}

/* --- signals -------------------------------------------------------------------------------- */

/* What has become of the service once it is at rest again; NULL: interrupted. */
static const char *after_signal(const struct place *pl)
{
	struct rest rest CLEANUP(rest_done) = {.again = true};
	double end = clock_now() + STEP_S;

	do {
		if (twin_interrupted)
			return NULL;
		if (run_poll(pl->run, READY_TICK_MS) || !run_alive(pl->run))
			return ENDED;
		if (rest_look(&rest, pl->run, pl->listeners, supervisor_calls(pl->supervisor)))
			return "still there\n";
	} while (clock_now() < end);
	return "still there, but not listening as before\n";
}

static int send_signal(struct probe_step *step, const struct place *pl, const char *scratch,
		       struct outcome *ret, struct err *e)
{
	double begin = clock_now();
	const char *text = run_signal(pl->run, step->signal) < 0 ? ENDED : after_signal(pl);

	if (!text)
		return err_set(e, -EINTR, "interrupted");
	learn(step, streq(text, ENDED) ? ": it ends" : "");
	int r = say(text, scratch, ret, e);
	ret->seconds = clock_now() - begin;
	return r;
}

int probe_run(struct probe *p, size_t i, const struct place *pl, const char *scratch,
	      struct outcome *ret, struct err *e)
{
	struct probe_step *step = &p->v[i];

	/* Here: in the world, where the doors are tried, its libraries are the service's to write.
	 */
	if (!crypto_load(e))
		return -ENOPKG;
	if (step->kind == PROBE_CONNECT)
		return try_door(p, step, pl, scratch, ret, e);
	if (step->kind == PROBE_SIGNAL)
		return send_signal(step, pl, scratch, ret, e);
	return say("", scratch, ret, e);
}
