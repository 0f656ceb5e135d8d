/* SPDX-License-Identifier: MIT */
#include "keep/notices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/notify.h"
#include "base/str.h"
#include "keep/pid-file.h"

/* As much as systemd takes. */
#define MESSAGE_MAX	 4096
#define MESSAGES_AT_ONCE 64

int notices_dir(int run, const char *name, struct err *e)
{
	CLEANUP_STR char *own = xasprintf("%s.notify", name);

	if (mkdirat(run, own, 0755) < 0 && errno != EEXIST)
		return err_errno(e, -errno, "making %s", own);
	int fd = openat(run, own, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_errno(e, -errno, "opening %s", own) : fd;
}

void notices_remove(int run, const char *name)
{
	CLEANUP_STR char *own = xasprintf("%s.notify", name);
	CLEANUP_STR char *socket = xasprintf("%s/%s", own, NOTICES_NAME);

	unlinkat(run, socket, 0);
	unlinkat(run, own, AT_REMOVEDIR);
}

int notices_open(struct notices *n, int dir, enum notices_from from, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	*n = (struct notices){.socket = -1, .from = from};
	/* The directory's path may be longer than a socket's name can be: by descriptor. */
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/" NOTICES_NAME, dir);
	unlinkat(dir, NOTICES_NAME, 0); /* of a start before this one */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 ||
	    fchmodat(dir, NOTICES_NAME, 0666, 0) < 0)
		return err_errno(e, -errno, "making the service's notify socket");
	n->socket = take_fd(&fd);
	return 0;
}

/* What a line says for us; 1 where it is passed on as it is, 0 where not. */
static int see_ready(struct notices *n, const char *value UNUSED)
{
	n->ready = true;
	return 0;
}

static int see_stopping(struct notices *n, const char *value UNUSED)
{
	n->stopping = true;
	return 1;
}

static int see_status(struct notices *n, const char *value)
{
	snprintf(n->status, sizeof(n->status), "%s", value);
	return 1;
}

static int see_watchdog(struct notices *n, const char *value)
{
	n->beats += streq(value, "1");
	n->trigger |= streq(value, "trigger");
	return streq(value, "1") || streq(value, "trigger");
}

static int see_nothing(struct notices *n UNUSED, const char *value UNUSED)
{
	return 1;
}

static int see_main(struct notices *n, const char *value)
{
	n->claimed = pid_file_parse(value, strlen(value));
	return 0;
}

static const struct {
	const char *key;
	int (*see)(struct notices *n, const char *value);
} lines[] = {
    {"MAINPID=", see_main},	      {"READY=", see_ready},
    {"RELOADING=", see_nothing},      {"STOPPING=", see_stopping},
    {"STATUS=", see_status},	      {"ERRNO=", see_nothing},
    {"WATCHDOG=", see_watchdog},      {"WATCHDOG_USEC=", see_nothing},
    {"MONOTONIC_USEC=", see_nothing}, {"EXTEND_TIMEOUT_USEC=", see_nothing},
};

static char *take_line(struct notices *n, const char *line, bool ready_known)
{
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		const char *value = str_after(line, lines[i].key);
		if (!value)
			continue;
		bool pass = lines[i].see(n, value) || (lines[i].see == see_ready && ready_known);
		return pass ? xasprintf("%s\n", line) : NULL;
	}
	return NULL;
}

char *notices_claim(struct notices *n, const struct run *r)
{
	pid_t outside = n->claimed ? pid_file_outside(r, n->claimed) : 0;

	n->claimed = 0;
	if (!outside)
		return NULL;
	n->main = outside;
	return xasprintf("MAINPID=%d\n", (int)outside);
}

char *notices_take(struct notices *n, const char *text, size_t len, bool ready_known)
{
	CLEANUP_STR char *copy = xstrndup(text, len);
	char *all = xstrdup(""), *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		CLEANUP_STR char *one = take_line(n, str_printable(line), ready_known);
		char *more = one ? xasprintf("%s%s", all, one) : NULL;
		if (more) {
			free(all);
			all = more;
		}
	}
	return all;
}

/* Closes what came along; the sender's number, or 0. */
static pid_t look_beside(struct msghdr *m)
{
	pid_t sender = 0;
	int fd;

	const struct linger at_once = {.l_onoff = 1};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred who;
			memcpy(&who, CMSG_DATA(c), sizeof(who));
			sender = who.pid;
		}
		size_t n =
		    c->cmsg_type == SCM_RIGHTS ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(fd) : 0;
		for (size_t i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			/* A connection of the service's may have been told to wait for its peer
			 * when it is closed. Not refused (SO_PASSRIGHTS): sd_notify_barrier(3)
			 * would fail. */
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
			close(fd);
		}
	}
	return sender;
}

static bool may_tell(const struct notices *n, const struct run *r, pid_t sender)
{
	if (n->from != NOTICES_MAIN)
		return true; /* nobody outside of the jail sees the socket */
	return sender == run_main(r, NULL) || (n->main && sender == n->main);
}

static void read_messages(struct notices *n, const struct run *r, bool ready_known)
{
	char text[MESSAGE_MAX];
	union {
		char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(253 * sizeof(int))];
		struct cmsghdr align;
	} beside;

	for (int i = 0; n->socket >= 0 && i < MESSAGES_AT_ONCE; i++) {
		struct iovec part = {text, sizeof(text)};
		struct msghdr m = {.msg_iov = &part,
				   .msg_iovlen = 1,
				   .msg_control = beside.bytes,
				   .msg_controllen = sizeof(beside.bytes)};
		ssize_t got = recvmsg(n->socket, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
		if (got < 0)
			return;
		pid_t sender = look_beside(&m);
		if (m.msg_flags & MSG_TRUNC || !may_tell(n, r, sender))
			continue;
		CLEANUP_STR char *out = notices_take(n, text, (size_t)got, ready_known);
		if (out[0])
			notify_send(out);
	}
}

void notices_serve(struct notices *n, const struct run *r, bool ready_known)
{
	read_messages(n, r, ready_known);
	/* Once for all of them: it looks at every process of the jail. */
	CLEANUP_STR char *told = notices_claim(n, r);
	if (told)
		notify_send(told);
}
