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
#define BURST_MS   5	 /* what comes within so long of another goes on with it */
#define HOLD_MS	   50	 /* but nothing waits for the next for longer */
#define QUIET_MS   1000	 /* drops are told of when there were none for so long */
#define LASTING_MS 30000 /* or have gone on for so long */
#define ANSWER_MS  60000 /* how long a way out is waited for */
#define LINGER_MS  10000 /* how long what is left may take when the supervisor has gone */

static void watch_conn(struct lane *l, const struct member *m, int op)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = l};

	epoll_ctl(l->epoll, op, m->conn, &ev);
}

struct lane *lane_new(int conn, int epoll, struct lane *const *all)
{
	struct lane *l = calloc(1, sizeof(*l));
	struct member *m = calloc(1, sizeof(*m));

	if (!l || !m) {
		free(l);
		free(m);
		return NULL;
	}
	l->all = all;
	l->epoll = epoll;
	l->members = m;
	m->conn = conn;
	m->source.fd = l->sink.fd = l->queue.fd = -1;
	l->ready = true;
	watch_conn(l, m, EPOLL_CTL_ADD);
	return l;
}

static void member_free(struct member *m)
{
	source_close(&m->source);
	fd_close(&m->conn);
	free(m);
}

static void let_go(struct lane *l)
{
	while (l->members) {
		struct member *m = l->members;
		l->members = m->next;
		member_free(m);
	}
	l->asked_of = NULL;
	if (l->queue.head)
		sink_drop(&l->sink, &l->queue);
	queue_unmap(&l->queue);
}

void lane_free(struct lane *l)
{
	let_go(l);
	free(l);
}

/* --- in --- */

static bool put(struct lane *l, const struct message *m, pid_t pid, bool own)
{
	struct origin o = {.jail = l->name, .host = l->host, .pid = pid};
	char buf[MESSAGE_MAX];

	l->came = (uint64_t)clock_ms();
	l->burst = queue_empty(&l->queue) ? l->came : l->burst;
	clock_gettime(CLOCK_REALTIME, &o.at);
	return queue_put(&l->queue, buf, message_render(m, &o, l->form, buf), own);
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

/* Whether no more will come, but for what a later jail of that name says. */
static bool is_ending(const struct lane *l)
{
	const struct member *m = l->members;

	return !m || (!m->next && (m->last || m->gone));
}

static void tell_drops(struct lane *l, uint64_t now)
{
	const struct queue_figures *f = &l->queue.head->figures;
	uint64_t n = f->full + f->limited - l->told;
	char text[200];

	bool ended = is_ending(l) || now - l->dropped_at >= QUIET_MS;

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
	bool said = put(l, &m, getpid(), true);
	l->told += said ? n : 0;
	l->dropped_at = said ? 0 : now; /* no room for that either: later */
	l->since = said ? 0 : l->since;
}

/* --- the supervisors --- */

/* The lane that has this name and queue. One of this name with another queue is of a jail that was
 * removed. */
static struct lane *find(const struct lane *l, const struct wire *w, int queue)
{
	for (struct lane *o = *l->all; o; o = o->next)
		if (o != l && o->queue.head && strcmp(o->name, w->name) == 0 &&
		    queue_is(&o->queue, queue))
			return o;
	return NULL;
}

/* What the newest member says holds for all. */
static void settle(struct lane *l, const struct wire *w)
{
	if (l->way != w->way)
		sink_drop(&l->sink, &l->queue);
	memcpy(l->host, w->host, sizeof(l->host));
	l->form = w->form;
	l->way = w->way;
	l->shared = w->shared;
	if (l->rate.interval_ms != w->interval_ms || l->rate.burst != w->burst)
		l->rate = (struct rate){.interval_ms = w->interval_ms, .burst = w->burst};
}

static int open_lane(struct lane *l, const struct wire *w, int queue)
{
	int r = queue_open(&l->queue, queue, w->anew);

	if (r < 0)
		return r;
	memcpy(l->name, w->name, sizeof(l->name));
	l->way = w->way;
	l->queue.head->relay = (uint32_t)getpid();
	l->told = l->queue.head->figures.full + l->queue.head->figures.limited;
	return 0;
}

/* Also a jail whose supervisor was killed and that is started again: there is one queue, and one
 * who writes in it. */
static void join(struct lane *l, struct member *m, const struct wire *w)
{
	m->next = l->members;
	l->members = m;
	l->gone = 0;
	l->ready = true;
	watch_conn(l, m, EPOLL_CTL_MOD);
	if (!w->anew)
		return;
	queue_begin(&l->queue);
	l->told = 0;
}

/* Of a lane that has one member and no name yet: it moves where that name is. */
static bool hello(struct lane *l, const struct wire *w, int fds[WIRE_FDS], uint64_t now)
{
	struct member *m = l->members;

	if (l->queue.head || fds[0] < 0 || fds[1] < 0)
		return false;
	struct lane *to = find(l, w, fds[0]);
	if (to) {
		l->members = NULL;
		l->gone = now;
		join(to, m, w);
	} else {
		to = l;
		if (open_lane(l, w, fds[0]) < 0)
			return false;
	}
	settle(to, w);
	source_open(&m->source, take_fd(&fds[1]), w->stream, to->epoll, to);
	return true;
}

static void take_way_out(struct lane *l, const struct wire *w, int fds[WIRE_FDS], uint64_t now)
{
	/* Each time that a reader has read something. */
	struct epoll_event ev = {.events = EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = l};

	l->asked_of = NULL;
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

static bool take_message(struct lane *l, struct member *m, const struct wire *w, int fds[WIRE_FDS],
			 uint64_t now)
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
		m->last = true;
	return true;
}

static void part(struct lane *l, struct member *m, uint64_t now)
{
	fd_close(&m->conn);
	m->gone = now;
	if (l->asked_of == m)
		l->asked_of = NULL;
}

/* What a member's supervisor says. */
static void listen_to(struct lane *l, struct member *m, uint64_t now)
{
	int fds[WIRE_FDS];
	struct wire w;

	/* A member that has moved is another lane's to listen to. */
	while (m->conn >= 0 && !l->gone) {
		int r = wire_receive(m->conn, &w, fds);
		if (r == -EAGAIN)
			return;
		bool good = r > 0 && take_message(l, m, &w, fds, now);
		for (int i = 0; i < WIRE_FDS; i++)
			fd_close(&fds[i]);
		if (!good)
			part(l, m, now);
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

static struct member *who_answers(const struct lane *l)
{
	struct member *m = l->members;

	while (m && m->conn < 0)
		m = m->next;
	return m;
}

static void ask_for_way_out(struct lane *l, uint64_t now)
{
	const struct wire w = {.type = WIRE_WANT};
	const struct member *m = who_answers(l);

	if (!m)
		return;
	wire_send(m->conn, &w, NULL, 0);
	l->asked_of = m;
	l->asked = now;
	wait_longer(l, now);
}

/* When a burst is to go on its way, 0: it is, or there is none. Whoever says much at once (a
 * service that starts) is not to share its processors with us and the log daemon at each line. */
static uint64_t departure(const struct lane *l)
{
	if (l->sink.fd < 0 || l->sink.polled || queue_empty(&l->queue))
		return 0;
	if (is_ending(l) || queue_room(&l->queue) < TURN)
		return 1; /* long ago */
	return l->came + BURST_MS < l->burst + HOLD_MS ? l->came + BURST_MS : l->burst + HOLD_MS;
}

static void send_on(struct lane *l, uint64_t now)
{
	uint64_t moved = l->sink.moved;

	if (departure(l) > now)
		return;
	bool lost = !sink_pump(&l->sink, &l->queue);

	if (l->sink.moved != moved) {
		l->delay = 0;
		l->moved = now;
	}
	if (lost || (l->sink.fd >= 0 && l->sink.polled))
		wait_longer(l, now);
	else if (l->sink.fd >= 0)
		l->retry = 0;
	if (l->asked_of && now - l->asked > ANSWER_MS)
		l->asked_of = NULL;
	if (is_ending(l) && !(l->shared && l->members))
		sink_finish(&l->sink, &l->queue);
	/* The first time at once, later as the delay says. */
	if (l->sink.fd < 0 && !queue_empty(&l->queue) && !l->asked_of && (now >= l->retry || lost))
		ask_for_way_out(l, now);
}

/* The relay may stay when the last of several has gone: there will be more. */
static void say_drained(struct lane *l, const struct member *m)
{
	const struct wire w = {.type = WIRE_DRAINED,
			       .alone = !l->shared && *l->all == l && !l->next && l->members == m &&
					!m->next};

	wire_send(m->conn, &w, NULL, 0);
}

/* Whether a supervisor may end. Where nobody is there to take what it said (a host without a log
 * daemon), that waits in the queue's file: a stop does not wait for it. Nor does one of several
 * where there is somebody: the lane takes it there. */
static bool is_drained(const struct lane *l, const struct member *m)
{
	bool nobody = l->sink.fd < 0 && !l->asked_of && l->retry;

	return m->dry && ((queue_empty(&l->queue) && !l->dropped_at) || nobody ||
			  (l->shared && l->sink.fd >= 0));
}

static void see_off(struct lane *l, uint64_t now)
{
	for (struct member **at = &l->members; *at;) {
		struct member *m = *at;
		if (m->last && m->conn >= 0 && is_drained(l, m)) {
			say_drained(l, m);
			m->last = false;
		}
		if (m->gone && (m->dry || now - m->gone > LINGER_MS)) {
			*at = m->next;
			member_free(m);
			continue;
		}
		/* Nothing wakes us when there was no more. */
		l->ready |= m->gone && !m->source.paused;
		at = &m->next;
	}
	if (!l->members && !l->gone)
		l->gone = now;
}

static bool is_over(const struct lane *l, uint64_t now)
{
	return l->gone && ((queue_empty(&l->queue) && !l->dropped_at) || l->sink.fd < 0 ||
			   now - l->gone > LINGER_MS);
}

/* How much to read now. A destination that keeps taking sets the pace, as it does natively: the
 * kernel lets senders wait for it. Where it does not, nobody waits: what has no room is dropped. */
static size_t turn(struct lane *l, struct member *m, uint64_t now)
{
	size_t room = queue_room(&l->queue);
	bool moves = l->sink.fd >= 0 && now - l->moved < PACE_MS;

	source_pause(&m->source, moves && room < (m->source.paused ? 2 * CROWDED : CROWDED));
	if (m->source.paused)
		return 0;
	return moves && room < TURN ? room : TURN;
}

/* What came from the jail, and what had to be dropped of it. */
static void read_on(struct lane *l, uint64_t now)
{
	const struct queue_figures *f = &l->queue.head->figures;
	uint64_t before = f->full + f->limited;

	for (struct member *m = l->members; m; m = m->next) {
		size_t max = turn(l, m, now);
		m->dry = max && !source_read(&m->source, max, take);
	}
	note_drops(l, before, now);
	tell_drops(l, now);
}

bool lane_serve(struct lane *l, uint64_t now)
{
	l->ready = false;
	for (struct member *m = l->members, *next; m; m = next) {
		next = m->next;
		listen_to(l, m, now);
	}
	if (!l->queue.head)
		return l->members && !l->members->gone;
	read_on(l, now);
	send_on(l, now);
	see_off(l, now);
	return !is_over(l, now);
}

static void sooner(uint64_t *due, uint64_t at)
{
	if (at && (!*due || at < *due))
		*due = at;
}

uint64_t lane_due(const struct lane *l)
{
	uint64_t due = l->asked_of ? 0 : l->retry; /* the answer wakes us */

	for (const struct member *m = l->members; m; m = m->next) {
		sooner(&due, m->source.paused ? l->moved + PACE_MS : 0);
		sooner(&due, m->gone ? m->gone + LINGER_MS + 1 : 0);
	}
	sooner(&due, departure(l));
	sooner(&due, l->dropped_at ? l->dropped_at + QUIET_MS : 0);
	sooner(&due, l->asked_of ? l->asked + ANSWER_MS + 1 : 0);
	sooner(&due, l->gone ? l->gone + LINGER_MS + 1 : 0);
	return due;
}
