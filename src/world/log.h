/* SPDX-License-Identifier: MIT */
/* A /dev/log for twins: what they say is nobody's to read, and a service that finds no syslog, or
 * one that does not take its messages, would not behave as it does. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

/* A socket that takes whatever is sent and keeps nothing. */
struct log_nowhere {
	int fd;
	bool stream;
	bool read; /* by a thread of ours: once it has its place, where it is a stream */
	pthread_t reader;
};
#define LOG_NOWHERE_INIT                                                                           \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Makes one, to be held as long as the world; a datagram socket needs nobody to read from it. 0 or
 * -errno. */
int log_nowhere_open(struct log_nowhere *l, bool stream);
void log_nowhere_close(struct log_nowhere *l);

/* Binds it as "log" in the directory @dir (absolute, below /dev; it is made where there is none) of
 * the world whose root is @root. For a process that sees /proc. */
int log_nowhere_place(struct log_nowhere *l, int root, const char *dir);
