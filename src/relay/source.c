/* SPDX-License-Identifier: MIT */
#include "relay/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "relay/message.h"

struct connection {
	int fd;
	pid_t pid; /* who sent what is in the buffer */
	size_t n;
	bool over; /* the rest of a record that is too long is passed over */
	char buf[MESSAGE_MAX];
};

/* The bytes, and who sent them: SO_PASSCRED makes the kernel say so. */
static ssize_t receive(int fd, char *buf, size_t size, pid_t *ret_pid)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(struct ucred))];
	} control = {0};
	struct iovec iov = {buf, size};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.buf,
			     /* No room for a descriptor: the kernel closes it. */
			     .msg_controllen = CMSG_LEN(sizeof(struct ucred))};
	struct ucred who = {0};
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&msg);

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS &&
	    c->cmsg_len == CMSG_LEN(sizeof(who)))
		memcpy(&who, CMSG_DATA(c), sizeof(who));
	*ret_pid = who.pid;
	return n;
}

static size_t read_datagrams(struct source *s, size_t max, source_each each)
{
	char buf[MESSAGE_MAX];
	size_t n = 0;
	pid_t pid;

	for (; n < max; n++) {
		ssize_t len = receive(s->fd, buf, sizeof(buf), &pid);
		if (len < 0)
			break;
		if (len > 0)
			each(s->user, buf, (size_t)len, pid);
	}
	return n;
}

static void accept_one(struct source *s)
{
	int on = 1;
	CLEANUP_FD int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct connection *c = fd < 0 ? NULL : malloc(sizeof(*c));
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = s->user};

	if (!c)
		return;
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
	    epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev) < 0) {
		free(c);
		return;
	}
	c->fd = take_fd(&fd);
	c->n = 0;
	c->pid = 0;
	c->over = false;
	s->connections[s->n++] = c;
}

static void give(struct source *s, struct connection *c, size_t len, source_each each)
{
	if (len && !c->over)
		each(s->user, c->buf, len, c->pid);
}

/* Records end by a NUL (C libraries) or a newline. A sender's record is no other sender's. */
static void split(struct source *s, struct connection *c, source_each each)
{
	size_t from = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (c->buf[i] != '\0' && c->buf[i] != '\n')
			continue;
		if (!c->over && i > from)
			each(s->user, c->buf + from, i - from, c->pid);
		c->over = false;
		from = i + 1;
	}
	memmove(c->buf, c->buf + from, c->n - from);
	c->n -= from;
	if (c->n == sizeof(c->buf)) {
		give(s, c, c->n, each);
		c->over = true;
		c->n = 0;
	}
}

static bool read_connection(struct source *s, struct connection *c, source_each each)
{
	pid_t pid;
	ssize_t n = receive(c->fd, c->buf + c->n, sizeof(c->buf) - c->n, &pid);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0) {
		give(s, c, c->n, each); /* the last one may lack its end */
		return false;
	}
	c->pid = pid;
	c->n += (size_t)n;
	split(s, c, each);
	return true;
}

static void watch(const struct source *s, int fd, bool on)
{
	struct epoll_event ev = {.events = on ? EPOLLIN : 0, .data.ptr = s->user};

	epoll_ctl(s->epoll, EPOLL_CTL_MOD, fd, &ev);
}

/* Who waits at a door that we cannot open is not to wake us for ever. */
static void keep_door(struct source *s)
{
	bool full = s->n == SOURCE_CONNECTIONS;

	if (full != s->closed)
		watch(s, s->fd, !full);
	s->closed = full;
}

void source_pause(struct source *s, bool pause)
{
	if (pause == s->paused || s->fd < 0)
		return;
	watch(s, s->fd, !pause && !s->closed);
	for (size_t i = 0; i < s->n; i++)
		watch(s, s->connections[i]->fd, !pause);
	s->paused = pause;
}

static size_t read_streams(struct source *s, size_t max, source_each each)
{
	size_t n = 0;

	if (s->n < SOURCE_CONNECTIONS)
		accept_one(s);
	for (size_t i = 0; i < s->n && n < max; n++) {
		if (read_connection(s, s->connections[i], each)) {
			i++;
			continue;
		}
		close(s->connections[i]->fd);
		free(s->connections[i]);
		s->connections[i] = s->connections[--s->n];
	}
	keep_door(s);
	return n;
}

void source_open(struct source *s, int fd, bool stream, int epoll, void *user)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = user};

	*s = (struct source){.fd = fd, .stream = stream, .epoll = epoll, .user = user};
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);
}

void source_close(struct source *s)
{
	/* Others hold it too: what is not taken out of epoll would go on telling of who is gone. */
	if (s->fd >= 0)
		epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->fd, NULL);
	for (size_t i = 0; i < s->n; i++) {
		close(s->connections[i]->fd);
		free(s->connections[i]);
	}
	s->n = 0;
	fd_close(&s->fd);
}

size_t source_read(struct source *s, size_t max, source_each each)
{
	if (s->fd < 0)
		return 0;
	return s->stream ? read_streams(s, max, each) : read_datagrams(s, max, each);
}
