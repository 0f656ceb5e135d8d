/* SPDX-License-Identifier: MIT */
#include "confine/listens.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "confine/landlock.h"

struct listens listens_of(const struct landlock *l)
{
	if (!l || !l->listen_arch)
		return (struct listens){0};
	return (struct listens){
	    .arch = l->listen_arch, .call = l->listen_call, .ports = l->bind, .n = l->n_bind};
}

bool listens_has(const struct listens *l, const struct seccomp_data *d)
{
	return l->arch && d->arch == l->arch && d->nr == l->call;
}

/* The process of thread @tid, or -errno. */
static pid_t process_of(pid_t tid)
{
	char path[40], text[1024];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	const char *line = strstr(text, "\nTgid:");
	return line ? (pid_t)strtol(line + strlen("\nTgid:"), NULL, 10) : -ESRCH;
}

int listens_take(const struct seccomp_notif *n)
{
	pid_t pid = process_of((pid_t)n->pid);
	CLEANUP_FD int process = pid < 0 ? -1 : pidfd_open(pid, 0);

	if (pid < 0 || process < 0)
		return pid < 0 ? pid : -errno;
	int copy = (int)syscall(SYS_pidfd_getfd, process, (int)n->data.args[0], 0);
	return copy < 0 ? -errno : copy;
}

/* In a jail they do fall back. Of MPTCP Landlock, which holds a jail to its ports, sees nothing. */
bool listens_tcp(int protocol)
{
	return protocol == IPPROTO_TCP || protocol == 262 /* IPPROTO_MPTCP */ ||
	       protocol == 256 /* IPPROTO_SMC */;
}

static int option(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0 ? -errno : value;
}

int listens_port(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in; /* the port of IPv6 is at the same place */
		struct sockaddr_storage all;
	} a = {.any.sa_family = AF_UNSPEC};
	socklen_t len = sizeof(a);
	int family = option(fd, SO_DOMAIN);

	if (family < 0)
		return family;
	if ((family != AF_INET && family != AF_INET6) || !listens_tcp(option(fd, SO_PROTOCOL)))
		return -EPROTOTYPE;
	return getsockname(fd, &a.any, &len) < 0 ? -errno : ntohs(a.in.sin_port);
}

static bool is_port_ours(const struct listens *l, int fd)
{
	int port = listens_port(fd);

	for (size_t i = 0; port > 0 && i < l->n; i++)
		if (l->ports[i] == port)
			return true;
	return false;
}

/* Before: one that was never bound does not listen for a moment. After: an address may be left from
 * a connection that failed, and is none. */
static int listen_by_policy(const struct listens *l, int fd, int backlog)
{
	if (!is_port_ours(l, fd))
		return -EACCES;
	if (listen(fd, backlog) < 0)
		return -errno;
	if (is_port_ours(l, fd))
		return 0;
	shutdown(fd, SHUT_RDWR);
	return -EACCES;
}

int listens_on(const struct listens *l, int fd, int backlog)
{
	int port = listens_port(fd);

	if (port < 0)
		return port == -EPROTOTYPE ? -EACCES : port;
	if (option(fd, SO_ACCEPTCONN) != 1)
		return listen_by_policy(l, fd, backlog);
	return listen(fd, backlog) < 0 ? -errno : 0;
}
