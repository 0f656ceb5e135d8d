/* SPDX-License-Identifier: MIT */
#include "keep/log-sink.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/fnv.h"
#include "base/kernel.h"
#include "base/str.h"
#include "fs/beneath.h"

#define CONNECT_MS    10000
#define UNANSWERED_MS 30000 /* then a connection is given up (TCP_USER_TIMEOUT) */
#define CHILD_SECONDS 30

const char *log_sink_host(void)
{
	const char *other = getenv("IMMURE_SYSLOG_SOCKET");

	return other && other[0] == '/' ? other : "/dev/log";
}

const char *log_sink_file(const char *syslog)
{
	return syslog ? str_after(syslog, "file:") : NULL;
}

enum message_form log_sink_form(const char *syslog)
{
	if (log_sink_file(syslog))
		return FORM_FILE;
	return syslog && str_after(syslog, "tcp:") ? FORM_5424 : FORM_LOCAL;
}

static void answer(int conn, int fd, enum sink_kind kind)
{
	const struct wire w = {.type = WIRE_SINK, .sink = fd < 0 ? SINK_NONE : kind};

	wire_send(conn, &w, &fd, fd >= 0);
}

static int connect_unix(const char *path, int type)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	CLEANUP_FD int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -errno;
	return take_fd(&fd);
}

static void answer_host(int conn)
{
	CLEANUP_FD int fd = connect_unix(log_sink_host(), SOCK_DGRAM);
	enum sink_kind kind = SINK_DATAGRAM;

	if (fd == -EPROTOTYPE) {
		fd = connect_unix(log_sink_host(), SOCK_STREAM);
		kind = SINK_STREAM;
	}
	answer(conn, fd, kind);
}

/* A link in the file's place or on the way (the directory may be the service's), or a second name
 * of another file, is somebody else's. */
static void answer_file(int conn, const char *path)
{
	struct stat st;
	CLEANUP_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int fd = beneath_open_nolink(
	    root, path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0640);

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1))
		fd_close(&fd);
	answer(conn, fd, SINK_FILE);
}

static int connect_to(const struct addrinfo *a)
{
	int on = 1, unanswered = UNANSWERED_MS;
	CLEANUP_FD int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered, sizeof(unanswered));
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0 && errno != EINPROGRESS)
		return -errno;
	if (poll(&pfd, 1, CONNECT_MS) <= 0 || pfd.revents & (POLLERR | POLLHUP))
		return -ECONNREFUSED;
	return take_fd(&fd);
}

static NORETURN void resolve_and_connect(int parent, const char *where)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	CLEANUP_STR char *host = xstrdup(where);
	char *port = strrchr(host, ':'), *name = host;
	struct addrinfo *list = NULL;
	int fd = -1;

	*port++ = '\0';
	if (name[0] == '[' && port - name > 2) {
		port[-2] = '\0';
		name++;
	}
	alarm(CHILD_SECONDS);
	if (getaddrinfo(name, port, &hints, &list) != 0)
		list = NULL;
	for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
		fd = connect_to(a);
	answer(parent, fd, SINK_TCP);
	_exit(0);
}

/* A grandchild, which is nobody's to wait for and holds nothing of ours but its end of a pair: when
 * that is closed without an answer it has died. */
static int ask_child(const char *where)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	pid_t pid = fork();
	if (pid == 0) {
		if (fork() != 0)
			_exit(0);
		dup2(pair[1], 3);
		close_range(4, ~0U, 0);
		resolve_and_connect(3, where);
	}
	close(pair[1]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return pair[0];
}

void log_sink_pass_on(int child, int conn)
{
	int fds[WIRE_FDS];
	struct wire w;
	int r = wire_receive(child, &w, fds);

	if (r <= 0)
		w = (struct wire){.type = WIRE_SINK, .sink = SINK_NONE};
	if (conn >= 0)
		wire_send(conn, &w, fds, r > 0 && fds[0] >= 0);
	for (int i = 0; i < WIRE_FDS; i++)
		fd_close(&fds[i]);
}

int log_sink_answer(int conn, const char *syslog)
{
	const char *file = log_sink_file(syslog);
	const char *tcp = syslog ? str_after(syslog, "tcp:") : NULL;
	int child = tcp ? ask_child(tcp) : -1;

	if (tcp && child < 0)
		answer(conn, -1, SINK_NONE);
	else if (file)
		answer_file(conn, file);
	else if (!tcp)
		answer_host(conn);
	return child;
}

uint64_t log_sink_number(const char *syslog)
{
	const char *where = syslog ? syslog : "host";

	return fnv(where, strlen(where));
}
