/* SPDX-License-Identifier: MIT */
#include "relay/lane.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "relay/message.h"

#define TURN	   128 /* messages read before the next lane has its turn */
#define CROWDED	   8   /* room for so many more: the source waits */
#define PACE_MS	   50  /* but not for a destination that has taken nothing for so long */
#define DELAY_MIN  5
#define DELAY_MAX  1000
#define QUIET_MS   1000	 /* drops are told of when there were none for so long */
#define LASTING_MS 30000 /* or have gone on for so long */
#define ANSWER_MS  60000 /* how long a way out is waited for */
#define LINGER_MS  10000 /* how long what is left may take when the supervisor has gone */

struct lane *lane_new(int conn, int epoll, struct lane *const *all)
{
	struct lane *l = calloc(1, sizeof(*l));
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = l};

	if (!l)
		return NULL;
	l->all = all;
	l->epoll = epoll;
	l->conn = conn;
	l->source.fd = l->sink.fd = -1;
	l->ready = true;
	epoll_ctl(epoll, EPOLL_CTL_ADD, conn, &ev);
	return l;
}

static void let_go(struct lane *l)
{
	source_close(&l->source);
	if (l->queue.head)
		sink_drop(&l->sink, &l->queue);
	queue_unmap(&l->queue);
	fd_close(&l->conn);
}

void lane_free(struct lane *l)
{
	let_go(l);
	free(l);
}

/* --- in --- */

static void put(struct lane *l, const struct message *m, pid_t pid, bool own)
{
	struct origin o = {.jail = l->name, .host = l->host, .pid = pid};
	char buf[MESSAGE_MAX];

	clock_gettime(CLOCK_REALTIME, &o.at);
	queue_put(&l->queue, buf, message_render(m, &o, l->form, buf), own);
}

static void take(void *user, const char *bytes, size_t len, pid_t pid)
{
	struct lane *l = user;
	struct message m;

	if (!rate_allows(&l->rate, (uint64_t)clock_ms())) {
		queue_limited(&l->queue);
		return;
	}
	message_parse(bytes, len, &m);
	put(l, &m, pid, false);
}

/* --- what was dropped --- */

static void note_drops(struct lane *l, uint64_t before, uint64_t now)
{
	const struct queue_figures *f = &l->queue.head->figures;

	if (f->full + f->limited == before)
		return;
	l->since = l->since ? l->since : now;
	l->dropped_at = now;
}

static void tell_drops(struct lane *l, uint64_t now)
{
	const struct queue_figures *f = &l->queue.head->figures;
	uint64_t n = f->full + f->limited - l->told;
	char text[200];

	bool ended = l->last || l->gone || now - l->dropped_at >= QUIET_MS;

	if (!l->dropped_at || !(ended || now - l->since >= LASTING_MS))
		return;
	int len = snprintf(
	    text, sizeof(text),
	    "%llu messages of this jail dropped (since its start: %llu over its rate, "
	    "%llu with its buffer full)",
	    (unsigned long long)n, (unsigned long long)f->limited, (unsigned long long)f->full);
	const struct message m = {.pri = PRI_SYSLOG_WARN,
				  .tag = "immure-relay",
				  .tag_len = strlen("immure-relay"),
				  .text = text,
				  .text_len = (size_t)len};
	put(l, &m, getpid(), true);
	l->told += n;
	l->dropped_at = l->since = 0;
}

/* --- the supervisor --- */

static void say(struct lane *l, enum wire_type type)
{
	const struct wire w = {.type = type};

	wire_send(l->conn, &w, NULL, 0);
}

/* A jail whose supervisor was killed and that is started again: there is one queue, and one who
 * writes in it. */
static void replace(const struct lane *l, const char *name, uint64_t now)
{
	for (struct lane *o = *l->all; o; o = o->next)
		if (o != l && o->queue.head && strcmp(o->name, name) == 0) {
			let_go(o);
			o->gone = now;
			o->ready = true;
		}
}

static bool hello(struct lane *l, const struct wire *w, int fds[WIRE_FDS], uint64_t now)
{
	if (l->queue.head || fds[0] < 0 || fds[1] < 0)
		return false;
	replace(l, w->name, now);
	if (queue_open(&l->queue, fds[0], w->anew) < 0)
		return false;
	memcpy(l->name, w->name, sizeof(l->name));
	memcpy(l->host, w->host, sizeof(l->host));
	l->form = w->form;
	l->rate = (struct rate){.interval_ms = w->interval_ms, .burst = w->burst};
	l->queue.head->relay = (uint32_t)getpid();
	l->told = l->queue.head->figures.full + l->queue.head->figures.limited;
	source_open(&l->source, take_fd(&fds[1]), w->stream, l->epoll, l);
	return true;
}

static void take_way_out(struct lane *l, const struct wire *w, int fds[WIRE_FDS], uint64_t now)
{
	/* Each time that a reader has read something. */
	struct epoll_event ev = {.events = EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = l};

	l->wanted = false;
	if (w->sink == SINK_NONE || fds[0] < 0) {
		sink_drop(&l->sink, &l->queue); /* of a file that is not there any more */
		l->retry = now + l->delay;
		return;
	}
	sink_take(&l->sink, &l->queue, take_fd(&fds[0]), w->sink);
	if (w->sink != SINK_FILE)
		epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->sink.fd, &ev);
	l->retry = 0;
}

static bool take_message(struct lane *l, const struct wire *w, int fds[WIRE_FDS], uint64_t now)
{
	if (w->type == WIRE_HELLO)
		return hello(l, w, fds, now);
	if (!l->queue.head)
		return false;
	if (w->type == WIRE_SINK)
		take_way_out(l, w, fds, now);
	if (w->type == WIRE_PING)
		__atomic_add_fetch(&l->queue.head->beat, 1, __ATOMIC_RELEASE);
	if (w->type == WIRE_LAST)
		l->last = true;
	return true;
}

/* False when the supervisor has gone. */
static bool listen_to(struct lane *l, uint64_t now)
{
	int fds[WIRE_FDS];
	struct wire w;

	for (;;) {
		int r = wire_receive(l->conn, &w, fds);
		if (r == -EAGAIN)
			return true;
		bool good = r > 0 && take_message(l, &w, fds, now);
		for (int i = 0; i < WIRE_FDS; i++)
			fd_close(&fds[i]);
		if (!good)
			return false;
	}
}

/* --- out --- */

static void wait_longer(struct lane *l, uint64_t now)
{
	l->delay = l->delay ? l->delay * 2 : DELAY_MIN;
	if (l->delay > DELAY_MAX)
		l->delay = DELAY_MAX;
	l->retry = now + l->delay;
}

static void send_on(struct lane *l, uint64_t now)
{
	uint64_t out = l->queue.head->figures.delivered;
	bool lost = !sink_pump(&l->sink, &l->queue);

	if (l->queue.head->figures.delivered != out) {
		l->delay = 0;
		l->moved = now;
	}
	if (lost || (l->sink.fd >= 0 && l->sink.polled))
		wait_longer(l, now);
	else if (l->sink.fd >= 0)
		l->retry = 0;
	if (l->wanted && now - l->asked > ANSWER_MS) /* who looked for it has died */
		l->wanted = false;
	/* The first time at once, later as the delay says. */
	if (l->sink.fd < 0 && !queue_empty(&l->queue) && !l->wanted && !l->gone &&
	    (now >= l->retry || lost)) {
		say(l, WIRE_WANT);
		l->wanted = true;
		l->asked = now;
		wait_longer(l, now);
	}
}

static void say_drained(struct lane *l)
{
	const struct wire w = {.type = WIRE_DRAINED, .alone = *l->all == l && !l->next};

	wire_send(l->conn, &w, NULL, 0);
}

/* Whether nothing is left to do for a jail that is over. Where nobody is there to take what it said
 * (a host without a log daemon), that waits in the queue's file: a stop does not wait for it. */
static bool is_over(struct lane *l, size_t n, uint64_t now)
{
	bool empty = !n && queue_empty(&l->queue) && !l->dropped_at;
	bool nobody = !n && l->sink.fd < 0 && !l->wanted && l->retry;

	if (l->last && (empty || nobody)) {
		say_drained(l);
		l->last = false;
	}
	if (!l->gone)
		return false;
	return empty || (!n && l->sink.fd < 0) || now - l->gone > LINGER_MS;
}

/* How much to read now. A destination that keeps taking sets the pace, as it does natively: the
 * kernel lets senders wait for it. Where it does not, nobody waits: what has no room is dropped. */
static size_t turn(struct lane *l, uint64_t now)
{
	size_t room = queue_room(&l->queue);
	bool moves = l->sink.fd >= 0 && now - l->moved < PACE_MS;

	source_pause(&l->source, moves && room < (l->source.paused ? 2 * CROWDED : CROWDED));
	if (l->source.paused)
		return 0;
	return moves && room < TURN ? room : TURN;
}

/* What came from the jail, and what had to be dropped of it. */
static size_t read_on(struct lane *l, uint64_t now)
{
	const struct queue_figures *f = &l->queue.head->figures;
	uint64_t before = f->full + f->limited;
	size_t max = turn(l, now), n = max ? source_read(&l->source, max, take) : 0;

	note_drops(l, before, now);
	tell_drops(l, now);
	return n;
}

bool lane_serve(struct lane *l, uint64_t now)
{
	l->ready = false;
	if (!l->gone && !listen_to(l, now)) {
		fd_close(&l->conn);
		l->gone = now;
	}
	if (!l->queue.head)
		return !l->gone;
	size_t n = read_on(l, now);
	send_on(l, now);
	l->more = n > 0;
	return !is_over(l, n, now);
}

static void sooner(uint64_t *due, uint64_t at)
{
	if (at && (!*due || at < *due))
		*due = at;
}

uint64_t lane_due(const struct lane *l)
{
	uint64_t due = l->retry;

	sooner(&due, l->source.paused ? l->moved + PACE_MS : 0);
	sooner(&due, l->dropped_at ? l->dropped_at + QUIET_MS : 0);
	sooner(&due, l->wanted ? l->asked + ANSWER_MS + 1 : 0);
	/* That nothing more has come is seen by looking once more. */
	sooner(&due, l->gone ? l->more ? 1 : l->gone + LINGER_MS + 1 : 0);
	return due;
}
