/* SPDX-License-Identifier: MIT */
#include "confine/refusals.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "confine/notify.h"

#define NOTICE_MS 1000 /* how often whoever looks is woken, at most */

struct refusals {
	struct notify notify;
	int stop, news; /* eventfds */
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	struct refusal rows[REFUSALS_MAX];
	size_t n;
	unsigned long total, shown;
	/* The thread's own. While it runs the program may fork, so it allocates nothing. */
	struct refusal_answers answers;
	struct listens listens;
	long noticed;
};

static void count(struct refusals *r, uint32_t arch, int nr)
{
	size_t i = 0;

	pthread_mutex_lock(&r->lock);
	r->total++;
	while (i < r->n && (r->rows[i].call != nr || r->rows[i].arch != arch))
		i++;
	if (i == r->n && r->n < REFUSALS_MAX)
		r->rows[r->n++] = (struct refusal){.arch = arch, .call = nr};
	if (i < r->n)
		r->rows[i].n++;
	pthread_mutex_unlock(&r->lock);
}

static int answer_of(const struct refusals *r, const struct seccomp_data *d)
{
	if (d->arch != r->answers.arch || d->nr < 0 || d->nr >= REFUSAL_NUMBERS)
		return ENOSYS;
	return r->answers.by_number[d->nr];
}

static int listen_for(const struct refusals *r, const struct seccomp_notif *n)
{
	CLEANUP_FD int fd = listens_take(n);

	if (fd < 0)
		return fd;
	return notify_waits(&r->notify, n->id) ? listens_on(&r->listens, fd, (int)n->data.args[1])
					       : -EINTR;
}

/* False when there is nobody left to answer. */
static bool serve(struct refusals *r)
{
	int got = notify_receive(&r->notify);

	if (got <= 0)
		return got == 0;
	const struct seccomp_notif *n = r->notify.request;
	struct seccomp_notif_resp answer = {.id = n->id};
	answer.error =
	    listens_has(&r->listens, &n->data) ? listen_for(r, n) : -answer_of(r, &n->data);
	if (answer.error) /* first: who got an answer may be asked about it */
		count(r, n->data.arch, n->data.nr);
	ioctl(r->notify.listener, SECCOMP_IOCTL_NOTIF_SEND, &answer); /* ENOENT: killed meanwhile */
	return true;
}

/* Wakes whoever looks, now or when a second has passed; returns how long until then, -1: no need.
 */
static int notice(struct refusals *r)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&r->lock);
	bool new = r->total != r->shown;
	pthread_mutex_unlock(&r->lock);
	if (!new)
		return -1;
	long left = r->noticed + NOTICE_MS - clock_ms();
	if (left > 0)
		return (int)left;
	r->noticed = clock_ms();
	fd_write_all(r->news, &one, sizeof(one));
	return NOTICE_MS;
}

static void *refuse(void *arg)
{
	struct refusals *r = arg;
	struct pollfd pfd[] = {{.fd = r->notify.listener, .events = POLLIN},
			       {.fd = r->stop, .events = POLLIN}};
	int wait = -1;

	while (!pfd[1].revents) {
		if (poll(pfd, ARRAY_LEN(pfd), wait) < 0 && errno != EINTR)
			break;
		if ((pfd[0].revents & POLLIN && !serve(r)) ||
		    (pfd[0].revents & (POLLHUP | POLLERR) && !(pfd[0].revents & POLLIN)))
			pfd[0].fd = -1; /* the last process under the filter is gone */
		wait = notice(r);
	}
	return NULL;
}

static int prepare(struct refusals *r, int listener)
{
	int code = notify_open(&r->notify, listener);

	r->stop = eventfd(0, EFD_CLOEXEC);
	r->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (code == 0 && (r->stop < 0 || r->news < 0))
		code = -errno;
	return code;
}

static void release(struct refusals *r)
{
	notify_close(&r->notify);
	fd_close(&r->stop);
	fd_close(&r->news);
	free(r);
}

int refusals_start(int listener, const struct refusal_answers *answers,
		   const struct listens *listens, struct refusals **ret, struct err *e)
{
	struct refusals *r = xcalloc(1, sizeof(*r));

	r->answers = *answers;
	r->listens = *listens;

	pthread_mutex_init(&r->lock, NULL);
	int code = prepare(r, listener);
	if (code == 0)
		code = notify_thread(&r->thread, refuse, r);
	if (code < 0) {
		release(r);
		return err_errno(e, code, "watching over refused calls");
	}
	*ret = r;
	return 0;
}

int refusals_fd(const struct refusals *r)
{
	return r ? r->news : -1;
}

static int by_frequency(const void *a, const void *b)
{
	unsigned long m = ((const struct refusal *)a)->n, n = ((const struct refusal *)b)->n;

	return m < n ? 1 : m > n ? -1 : 0;
}

size_t refusals_look(struct refusals *r, struct refusal ret[REFUSALS_MAX], unsigned long *ret_total)
{
	uint64_t ignored;
	size_t n;

	*ret_total = 0;
	if (!r)
		return 0;
	if (read(r->news, &ignored, sizeof(ignored)) < 0 && errno != EAGAIN)
		return 0;
	pthread_mutex_lock(&r->lock);
	n = r->n;
	memcpy(ret, r->rows, n * sizeof(*ret));
	*ret_total = r->shown = r->total;
	pthread_mutex_unlock(&r->lock);
	qsort(ret, n, sizeof(*ret), by_frequency);
	return n;
}

int refusals_release(struct refusals *r, unsigned long *ret_total)
{
	const uint64_t one = 1;

	*ret_total = 0;
	if (!r)
		return -1;
	fd_write_all(r->stop, &one, sizeof(one));
	pthread_join(r->thread, NULL);
	*ret_total = r->total;
	pthread_mutex_destroy(&r->lock);
	int listener = take_fd(&r->notify.listener);
	release(r);
	return listener;
}

void refusals_stop(struct refusals *r)
{
	unsigned long ignored;
	int listener = refusals_release(r, &ignored);

	fd_close(&listener);
}
