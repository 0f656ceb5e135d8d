/* SPDX-License-Identifier: MIT */
/* Processes of this host that hold what a service would want for itself, from proc(5): regular
 * files open for writing, and listening sockets. Without a trace: nothing is signalled or attached
 * to. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/str.h"

struct holder {
	pid_t pid;
	char *name;    /* what the kernel calls it, printable */
	char *unit;    /* "mariadb.service", by its control group, or NULL */
	char *program; /* its executable as the kernel says it, or NULL */
	char *what;    /* the path, or the listener ("tcp:127.0.0.1:80") */
	bool lock;     /* the file is empty or says nothing but a number: a lock, not data */
};

struct holders {
	struct holder *v;
	size_t n;
};
#define HOLDERS_INIT                                                                               \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_HOLDERS CLEANUP(holders_done)
void holders_done(struct holders *h);

/* Adds one row for each regular file that a process has open for writing or mapped shared and
 * writable; paths as the kernel names them. What such a path does not lead us to is passed over:
 * what was deleted or replaced, and what a process has in a mount namespace of its own under
 * another name. Ourselves left out. Sorted by process and path. 0 or -errno. */
int holders_writing(struct holders *ret);

/* Adds one row for each process with a listening (or, for udp, bound) socket that would not let a
 * service have one of @listeners (as jail/ready.h writes them: "tcp:0.0.0.0:80",
 * "unix:/run/x.sock"): the same address, or one of the two is any address of that family; "::"
 * meets IPv4 too. In the caller's network namespace. */
int holders_listening(const struct strv *listeners, struct holders *ret);

/* Adds one row for each process that runs the file @program (a path of the host) with the command
 * line @argv, word by word. */
int holders_running(const char *program, char *const *argv, struct holders *ret);

/* "mariadbd (pid 812, mariadb.service)"; new string. */
char *holder_text(const struct holder *h);
