/* SPDX-License-Identifier: MIT */
#include "relay/sink.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/fd.h"
#include "relay/message.h"

/* While the kernel wakes a sender it still counts one byte as unread (sock_wfree()). */
#define NOTHING_UNREAD 1

/* Of TCP: bytes that may be on their way; what was acknowledged is kept for one to two times so
 * many milliseconds, unless it is more than so many bytes. */
#define WINDOW	 (64 * 1024)
#define KEEP_MS	 500
#define KEEP_MAX (1536 * 1024)

void sink_drop(struct sink *s, struct queue *q)
{
	uint64_t moved = s->moved;

	fd_close(&s->fd);
	queue_rewind(q);
	*s = (struct sink)SINK_INIT;
	s->moved = moved;
	s->read = s->acked = s->mark = q->sent;
}

void sink_take(struct sink *s, struct queue *q, int fd, enum sink_kind kind)
{
	sink_drop(s, q);
	s->fd = fd;
	s->kind = kind;
}

static int unread(const struct sink *s)
{
	int n = 0;

	return ioctl(s->fd, SIOCOUTQ, &n) < 0 ? -1 : n;
}

static bool in_flight(const struct queue *q)
{
	return q->sent != q->head->out;
}

static void confirm(struct sink *s, struct queue *q, uint64_t to)
{
	s->moved += to != q->head->out;
	queue_confirm(q, to);
}

static bool for_later(void)
{
	return errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM;
}

/* Whether the other side has closed: after it has, what it had not read is gone. */
static bool has_hung_up(const struct sink *s)
{
	struct pollfd pfd = {.fd = s->fd, .events = POLLRDHUP};

	return poll(&pfd, 1, 0) > 0 && pfd.revents & (POLLHUP | POLLRDHUP | POLLERR);
}

static bool pump_datagram(struct sink *s, struct queue *q)
{
	char buf[MESSAGE_MAX];
	uint64_t next = q->sent;

	for (;;) {
		bool flying = in_flight(q);
		s->polled = flying;
		if (flying && unread(s) > NOTHING_UNREAD)
			return true;
		size_t n = queue_next(q, buf, sizeof(buf), &next);
		if (!n && !flying)
			return true;
		s->polled = true;
		if (send(s->fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			return for_later();
		/* The reader lives and had nothing unread: it has all that came before, and is
		 * done with what came before that. */
		confirm(s, q, s->read);
		s->read = q->sent;
		if (n)
			q->sent = next;
	}
}

/* Writes the rest of the next message and @end; 1 when it is out, 0 later, -errno. */
static int write_next(struct sink *s, struct queue *q, const char *end)
{
	char buf[MESSAGE_MAX + 1];
	uint64_t next;
	size_t n = queue_next(q, buf, MESSAGE_MAX, &next), more = strlen(end);

	if (!n)
		return 0;
	memcpy(buf + n, end, more);
	ssize_t w = s->kind == SINK_FILE ? write(s->fd, buf + s->part, n + more - s->part)
					 : send(s->fd, buf + s->part, n + more - s->part,
						MSG_DONTWAIT | MSG_NOSIGNAL);
	if (w < 0)
		return for_later() ? 0 : -errno;
	s->part += (uint64_t)w;
	s->unproved += (uint64_t)w;
	if (s->part < n + more)
		return 0;
	s->part = 0;
	q->sent = next;
	return 1;
}

static bool pump_stream(struct sink *s, struct queue *q)
{
	for (;;) {
		int left = in_flight(q) ? unread(s) : 0;
		s->polled = in_flight(q);
		if (left > NOTHING_UNREAD)
			return true;
		if (left < 0 || has_hung_up(s))
			return false;
		if (in_flight(q))
			confirm(s, q, q->sent);
		int r = write_next(s, q, "\n");
		s->polled = !queue_empty(q);
		if (r <= 0)
			return r == 0;
	}
}

/* Of what was sent, whole messages that are acknowledged. */
static void take_acknowledged(struct sink *s, const struct queue *q, uint64_t acknowledged)
{
	struct queue at = *q;
	uint64_t next;
	char buf[MESSAGE_MAX];
	size_t n;

	at.sent = s->acked;
	while (at.sent != q->sent && (n = queue_next(&at, buf, sizeof(buf), &next)) &&
	       n <= acknowledged) {
		acknowledged -= n;
		s->unproved -= n;
		s->moved++;
		at.sent = next;
	}
	s->acked = at.sent;
}

/* The other side has read up to @to, as far as can be known. */
static void confirm_tcp(struct sink *s, struct queue *q, uint64_t to)
{
	confirm(s, q, to);
	if (queue_empty(q)) /* perhaps begun anew */
		s->acked = s->mark = q->head->out;
}

static void confirm_old(struct sink *s, struct queue *q)
{
	uint64_t now = (uint64_t)clock_ms(), most = q->room / 4;

	if (most > KEEP_MAX)
		most = KEEP_MAX;
	if (now - s->marked < KEEP_MS && s->acked - s->mark < most / 2)
		return;
	uint64_t to = s->mark;
	s->mark = s->acked;
	s->marked = now;
	confirm_tcp(s, q, to);
}

/* Whether the other side has ended the connection, and said before that it has read all. */
static bool is_over(const struct sink *s, bool *ret_well)
{
	struct pollfd pfd = {.fd = s->fd, .events = POLLOUT | POLLRDHUP};
	int why = 0;
	socklen_t len = sizeof(why);

	/* Also while it is being connected. */
	if (poll(&pfd, 1, 0) <= 0 || !(pfd.revents & (POLLHUP | POLLRDHUP | POLLERR)))
		return false;
	/* EPIPE: what we sent after its end was refused. */
	*ret_well = getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &why, &len) == 0 &&
		    (why == EPIPE || (why == 0 && pfd.revents & POLLRDHUP));
	return true;
}

static bool pump_tcp(struct sink *s, struct queue *q)
{
	bool well = false, over = is_over(s, &well);
	int left = unread(s), r = 1;

	/* Our FIN counts as one more byte. */
	if ((!over || well) && left >= 0 && (uint64_t)left < s->unproved)
		take_acknowledged(s, q, s->unproved - (uint64_t)left);
	if (well)
		confirm_tcp(s, q, s->acked);
	if (over || left < 0)
		return false;
	confirm_old(s, q);
	while (r > 0 && s->unproved < WINDOW)
		r = write_next(s, q, "");
	s->polled = !queue_empty(q);
	return r >= 0;
}

void sink_finish(struct sink *s, const struct queue *q)
{
	if (s->fd < 0 || s->kind != SINK_TCP || s->finished || queue_empty(q) ||
	    q->sent != q->head->in)
		return;
	s->finished = shutdown(s->fd, SHUT_WR) == 0;
}

static bool pump_file(struct sink *s, struct queue *q)
{
	int r = 1;

	while (r > 0 && (r = write_next(s, q, "")) > 0)
		confirm(s, q, q->sent);
	/* A full disk: what is here waits, as long as there is room. */
	s->polled = !queue_empty(q);
	return r >= 0 || r == -ENOSPC || r == -EDQUOT;
}

bool sink_pump(struct sink *s, struct queue *q)
{
	static bool (*const pumps[SINK_KINDS])(struct sink *, struct queue *) = {
	    [SINK_DATAGRAM] = pump_datagram,
	    [SINK_STREAM] = pump_stream,
	    [SINK_TCP] = pump_tcp,
	    [SINK_FILE] = pump_file,
	};

	if (s->fd < 0)
		return true;
	if (pumps[s->kind] && pumps[s->kind](s, q))
		return true;
	sink_drop(s, q);
	return false;
}
