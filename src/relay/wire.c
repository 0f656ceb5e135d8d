/* SPDX-License-Identifier: MIT */
#include "relay/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"

union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(WIRE_FDS * sizeof(int))];
};

int wire_send(int sock, const struct wire *w, const int *fds, int n)
{
	struct wire copy = *w;
	struct iovec iov = {&copy, sizeof(copy)};
	union control control = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t r;

	copy.version = WIRE_VERSION;
	if (n) {
		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)n * sizeof(int));
	}
	do
		r = sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

static void take_fds(struct msghdr *msg, int fds[WIRE_FDS])
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return;
	size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(c), (n > WIRE_FDS ? WIRE_FDS : n) * sizeof(int));
}

static int drop(int fds[WIRE_FDS], int code)
{
	for (int i = 0; i < WIRE_FDS; i++)
		fd_close(&fds[i]);
	return code;
}

int wire_receive(int sock, struct wire *w, int fds[WIRE_FDS])
{
	struct iovec iov = {w, sizeof(*w)};
	union control control = {0};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.buf,
			     /* Without CMSG_SPACE's padding: see fd_receive(). */
			     .msg_controllen = CMSG_LEN(WIRE_FDS * sizeof(int))};
	ssize_t n;

	for (int i = 0; i < WIRE_FDS; i++)
		fds[i] = -1;
	do
		n = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : 0;
	take_fds(&msg, fds);
	if (n != (ssize_t)sizeof(*w) || w->version != WIRE_VERSION || w->sink >= SINK_KINDS ||
	    w->form >= FORM_COUNT)
		return drop(fds, -EBADMSG);
	w->name[sizeof(w->name) - 1] = w->host[sizeof(w->host) - 1] = '\0';
	return 1;
}
