/* SPDX-License-Identifier: MIT */
/* What a jail's processes write to /dev/log: a datagram socket, or a listening stream socket with
 * the connections to it. The supervisor keeps the socket; when the relay is killed nothing that
 * waits in it is lost. Descriptors that a sender passes along are refused. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SOURCE_CONNECTIONS 64 /* of one jail; who wants more waits */

struct connection;

struct source {
	int fd; /* -1: none */
	bool stream;
	bool closed; /* no more connections just now */
	bool paused;
	int epoll; /* borrowed: connections are added with @user */
	void *user;
	struct connection *connections[SOURCE_CONNECTIONS];
	size_t n;
};

/* Called with each message; @pid is the sender's as we see it. */
typedef void (*source_each)(void *user, const char *bytes, size_t len, pid_t pid);

/* Takes @fd over. */
void source_open(struct source *s, int fd, bool stream, int epoll, void *user);
void source_close(struct source *s);

/* Reads at most @max messages or pieces: other jails want their turn. How many there were. */
size_t source_read(struct source *s, size_t max, source_each each);

/* Nothing of it wakes anybody until it is taken up again. */
void source_pause(struct source *s, bool pause);
