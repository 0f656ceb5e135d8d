/* SPDX-License-Identifier: MIT */
#include "grow/supervisor.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "confine/notify.h"
#include "grow/rights.h"

/* Linux 6.6, newer than Debian 12's headers: wake the supervisor on the caller's processor. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#define SYNC_WAKE_UP 1ull

/* How soon a file that was made is noticed though its maker makes no further call. */
#define SETTLE_MS 20

/* Listeners of one run: the service's, and those of commands that came into it later. */
#define LISTENERS_MAX 16

/* A call that waits for a big copy. */
struct waiting {
	struct seccomp_notif call;
	struct notify *from;
};

struct supervisor {
	struct tree tree;
	struct engine engine;
	struct event event; /* the call being served: too large to be made anew each time */
	struct notify notify[LISTENERS_MAX];
	bool light[LISTENERS_MAX];
	size_t n_notify;     /* grows only; the other thread's to grow */
	struct notify *from; /* the one of the call being served */
	int stop;	     /* eventfd */
	int more;	     /* eventfd: a listener has been added */
	pthread_t thread;
	enum phase phase;
	unsigned long calls;
	int init; /* pidfd, or -1 */
	struct waiting *waiting;
	size_t n_waiting;
};

static void answer(struct supervisor *s, uint64_t id)
{
	struct seccomp_notif_resp resp = {.id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
	/* ENOENT: the caller was killed meanwhile. Nothing to do about any failure. */
	ioctl(s->from->listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
}

static void put_aside(struct supervisor *s, const struct seccomp_notif *n)
{
	s->waiting = xrealloc(s->waiting, s->n_waiting + 1, sizeof(*s->waiting));
	s->waiting[s->n_waiting++] = (struct waiting){.call = *n, .from = s->from};
}

static void serve(struct supervisor *s, const struct seccomp_notif *n)
{
	struct event *ev = &s->event;
	const struct call *call = call_find(n->data.arch, n->data.nr);

	if (call && call->shape == SHAPE_RECEIPT) {
		answer(s, n->id);
		return;
	}
	size_t i = (size_t)(s->from - s->notify);
	enum phase phase = i ? PHASE_ERRAND : __atomic_load_n(&s->phase, __ATOMIC_RELAXED);
	right_note(&s->engine, (pid_t)n->pid, phase, n->data.arch, n->data.nr,
		   (const uint64_t *)n->data.args);
	event_begin(ev, (pid_t)n->pid, phase, call);
	memcpy(ev->args, n->data.args, sizeof(ev->args));
	ev->light = s->light[i];
	ev->word = n->data.arch & __AUDIT_ARCH_64BIT ? 8 : 4;
	int r = call ? event_read(ev) : -ENOSYS;
	/* What was read may belong to another process that got the caller's pid. */
	enum engine_answer a =
	    r == 0 && notify_waits(s->from, n->id) ? engine_handle(&s->engine, ev) : ENGINE_DONE;
	if (a == ENGINE_LATER)
		put_aside(s, n);
	else if (a == ENGINE_DONE)
		answer(s, n->id);
	/* Nothing that follows is worth waiting for. */
	if (s->tree.failure.code && s->init >= 0)
		pidfd_send_signal(s->init, SIGKILL, NULL, 0);
}

static void serve_waiting(struct supervisor *s)
{
	struct waiting *all = steal_ptr(s->waiting);
	size_t n = s->n_waiting;

	s->n_waiting = 0;
	tree_reap_copies(&s->tree);
	for (size_t i = 0; i < n; i++) {
		s->from = all[i].from;
		serve(s, &all[i].call);
	}
	free(all);
}

static bool receive(struct supervisor *s, struct notify *from)
{
	int got = notify_receive(from);

	if (got <= 0)
		return got == 0;
	__atomic_fetch_add(&s->calls, 1, __ATOMIC_RELAXED);
	s->from = from;
	serve(s, from->request);
	return true;
}

/* What is waited for: three descriptors of our own, then the listeners. */
enum { WAIT_STOP, WAIT_COPIES, WAIT_MORE, WAIT_LISTENERS };

static void wait_more(struct supervisor *s, struct pollfd *pfd, nfds_t *n)
{
	uint64_t added;
	size_t known = __atomic_load_n(&s->n_notify, __ATOMIC_ACQUIRE);

	if (read(s->more, &added, sizeof(added)) < 0)
		return;
	for (; *n < WAIT_LISTENERS + known; (*n)++)
		pfd[*n] = (struct pollfd){.fd = s->notify[*n - WAIT_LISTENERS].listener,
					  .events = POLLIN};
}

static void serve_listeners(struct supervisor *s, struct pollfd *pfd, nfds_t n)
{
	for (nfds_t i = WAIT_LISTENERS; i < n; i++) {
		if ((pfd[i].revents & POLLIN) && !receive(s, &s->notify[i - WAIT_LISTENERS]))
			pfd[i].fd = -1;
		else if (pfd[i].revents & (POLLHUP | POLLERR))
			pfd[i].fd = -1; /* the last process under the filter is gone */
	}
}

static void *supervise(void *arg)
{
	struct supervisor *s = arg;
	nfds_t waits = WAIT_LISTENERS + 1;
	struct pollfd pfd[WAIT_LISTENERS + LISTENERS_MAX] = {
	    [WAIT_STOP] = {.fd = s->stop, .events = POLLIN},
	    [WAIT_COPIES] = {.fd = s->tree.copies_done, .events = POLLIN},
	    [WAIT_MORE] = {.fd = s->more, .events = POLLIN},
	    [WAIT_LISTENERS] = {.fd = s->notify[0].listener, .events = POLLIN},
	};

	for (;;) {
		int n = poll(pfd, waits, s->engine.n_makings ? SETTLE_MS : -1);
		if (n < 0 && errno != EINTR)
			break;
		if (n == 0)
			engine_settle(&s->engine, 0);
		if (pfd[WAIT_STOP].revents)
			break;
		if (pfd[WAIT_COPIES].revents)
			serve_waiting(s);
		serve_listeners(s, pfd, n > 0 ? waits : 0);
		if (pfd[WAIT_MORE].revents)
			wait_more(s, pfd, &waits);
	}
	return NULL;
}

static void supervisor_free(struct supervisor *s)
{
	engine_done(&s->engine);
	tree_done(&s->tree);
	for (size_t i = 0; i < s->n_notify; i++)
		notify_close(&s->notify[i]);
	fd_close(&s->stop);
	fd_close(&s->more);
	free(s->waiting);
	free(s);
}

int supervisor_start(const struct supervisor_config *c, struct supervisor **ret, struct err *e)
{
	struct supervisor *s = xcalloc(1, sizeof(*s));

	int opened = notify_open(&s->notify[s->n_notify++], c->listener);
	s->stop = eventfd(0, EFD_CLOEXEC);
	s->more = eventfd(0, EFD_CLOEXEC);
	int r =
	    s->stop < 0 || s->more < 0 ? -errno : tree_init(&s->tree, c->world, c->jail, c->record);
	if (r == 0)
		r = opened;
	if (r == 0 && c->own_mounts)
		strv_add_all(&s->tree.own, c->own_mounts);
	s->engine.tree = &s->tree;
	s->tree.scratch = c->scratch;
	s->init = c->init;
	ioctl(s->notify[0].listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS,
	      SYNC_WAKE_UP); /* only a matter of speed */
	if (r == 0)
		r = notify_thread(&s->thread, supervise, s);
	if (r < 0) {
		supervisor_free(s);
		return err_errno(e, r, "starting the supervisor");
	}
	*ret = s;
	return 0;
}

int supervisor_add(struct supervisor *s, int listener, bool light)
{
	uint64_t one = 1;
	size_t n = s->n_notify;

	if (n == LISTENERS_MAX) {
		close(listener);
		return -ENOSPC;
	}
	int r = notify_open(&s->notify[n], listener);
	if (r < 0) {
		notify_close(&s->notify[n]);
		return r;
	}
	s->light[n] = light;
	__atomic_store_n(&s->n_notify, n + 1, __ATOMIC_RELEASE);
	return fd_write_all(s->more, &one, sizeof(one));
}

void supervisor_phase(struct supervisor *s, enum phase phase)
{
	if (s)
		__atomic_store_n(&s->phase, phase, __ATOMIC_RELAXED);
}

unsigned long supervisor_calls(const struct supervisor *s)
{
	return s ? __atomic_load_n(&s->calls, __ATOMIC_RELAXED) : 0;
}

int supervisor_stop(struct supervisor *s, struct err *e)
{
	uint64_t one = 1;

	if (!s)
		return 0;
	__atomic_store_n(&s->tree.stopped, true, __ATOMIC_RELAXED);
	fd_write_all(s->stop, &one, sizeof(one));
	pthread_join(s->thread, NULL);
	engine_settle(&s->engine, 0);
	tree_reap_copies(&s->tree);
	int r = s->tree.failure.code;
	if (r < 0)
		err_set(e, r, "%s", s->tree.failure.msg);
	supervisor_free(s);
	return r;
}
