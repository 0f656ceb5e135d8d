/* SPDX-License-Identifier: MIT */
#include "world/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "fs/beneath.h"

#define CONNECTIONS 64 /* as many as the relay takes of one jail; who wants more waits */

/* The kernel tosses what a filter does not let through, and tells the sender that it was sent. */
static int open_datagram(void)
{
	struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	const struct sock_fprog program = {1, nothing};
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return -errno;
	return take_fd(&fd);
}

/* Whether more may come of the connection @fd. */
static bool toss(int fd)
{
	char bytes[4096];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* No filter sees what goes over a stream. Ends when the listener is shut down. */
static void *toss_all(void *arg)
{
	struct log_nowhere *l = arg;
	struct pollfd v[1 + CONNECTIONS] = {{.fd = l->fd}};
	size_t n = 1;

	while (!(v[0].revents & POLLHUP)) {
		for (size_t i = n - 1; i > 0; i--)
			if (v[i].revents && !toss(v[i].fd)) {
				close(v[i].fd);
				v[i] = v[--n];
			}
		int fd = v[0].revents & POLLIN ? accept4(l->fd, NULL, NULL, SOCK_CLOEXEC) : -1;
		if (fd >= 0)
			v[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
		v[0].events = n <= CONNECTIONS ? POLLIN : 0;
		for (size_t i = 0; i < n; i++)
			v[i].revents = 0;
		poll(v, n, -1);
	}
	while (--n)
		close(v[n].fd);
	return NULL;
}

static int read_streams(struct log_nowhere *l)
{
	sigset_t all, before;

	sigfillset(&all); /* the user's interrupt is for who waits for it */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = pthread_create(&l->reader, NULL, toss_all, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	l->read = r == 0;
	return -r;
}

int log_nowhere_open(struct log_nowhere *l, bool stream)
{
	*l = (struct log_nowhere){.fd = -1, .stream = stream};
	l->fd = stream ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
		       : open_datagram();
	return l->fd >= 0 ? 0 : stream ? -errno : l->fd;
}

void log_nowhere_close(struct log_nowhere *l)
{
	if (l->read) {
		shutdown(l->fd, SHUT_RDWR);
		pthread_join(l->reader, NULL);
	}
	fd_close(&l->fd);
	*l = (struct log_nowhere)LOG_NOWHERE_INIT;
}

int log_nowhere_place(struct log_nowhere *l, int root, const char *dir)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int r = l->fd < 0 ? -EBADF : beneath_mkdirs(root, dir, 0755);
	CLEANUP_FD int at = r < 0 ? r : beneath_open_nolink(root, dir, O_PATH | O_DIRECTORY, 0);

	if (at < 0)
		return at;
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/log", at);
	if (bind(l->fd, (const struct sockaddr *)&a, sizeof(a)) < 0 ||
	    fchmodat(at, ".", 0755, 0) < 0 || fchmodat(at, "log", 0666, 0) < 0 ||
	    (l->stream && listen(l->fd, CONNECTIONS) < 0))
		return -errno;
	return l->stream ? read_streams(l) : 0;
}
