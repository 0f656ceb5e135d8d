/* SPDX-License-Identifier: MIT */
/* listen(2) in a jail whose TCP ports are its policy's.
 *
 * Landlock holds bind(2) and not listen(2), which gives a socket that was never bound a free port.
 * So the filter sends the call to its listener, and whoever serves that (confine/refusals.h) does
 * it in the caller's place, on the caller's own socket: what the caller changes meanwhile cannot
 * make another call of it, which "continue" would allow (seccomp_unotify(2)). A unix socket is
 * refused: its clients would see our credentials (SO_PEERCRED, unix(7)). A jail that was seen to
 * listen on one, or on whatever is not TCP, has the right "listen()", and its filter lets the call
 * through. */
#pragma once

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct landlock;

struct listens {
	uint32_t arch; /* AUDIT_ARCH_*; 0: the filter lets it through, or nobody may call it */
	int call;      /* its number there */
	const uint16_t *ports;
	size_t n;
};

/* As the policy has it; borrows from @l. NULL: none. */
struct listens listens_of(const struct landlock *l);

/* Whether the call is one of those. */
bool listens_has(const struct listens *l, const struct seccomp_data *d);

/* The port of @fd, 0 where it was never bound. -EPROTOTYPE: no TCP; or -errno, as -ENOTSOCK. */
int listens_port(int fd);

/* What is TCP in the end: MPTCP and SMC fall back to it. */
bool listens_tcp(int protocol);

/* The caller's socket, ours too; or -errno. By its number, which may have come to be another's: it
 * is to be asked then whether the call is still waited for (notify_waits()). Linux 5.6, for
 * pidfd_getfd(2). Allocates nothing. */
int listens_take(const struct seccomp_notif *n);

/* Does it. 0, or the caller's answer: -EACCES where @fd is not TCP, or the port none of its
 * policy's; the socket does not listen then. One that listens already, as it was handed over, may
 * change how many wait. */
int listens_on(const struct listens *l, int fd, int backlog);
