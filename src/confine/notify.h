/* SPDX-License-Identifier: MIT */
/* The listener of a seccomp filter, seccomp_unotify(2): what whoever serves one needs, whatever it
 * answers. */
#pragma once

#include <linux/seccomp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct notify {
	int listener; /* ours once notify_open() was called */
	struct seccomp_notif *request;
	size_t size; /* of request: this kernel's may be larger than our header's */
};
#define NOTIFY_INIT                                                                                \
	{                                                                                          \
		.listener = -1                                                                     \
	}

/* Takes @listener over, also after an error. 0 or -errno. */
int notify_open(struct notify *n, int listener);
void notify_close(struct notify *n);

/* Waits for a call and puts it into n->request: 1. 0 where its caller was killed meanwhile; -errno
 * where nobody is left to call. */
int notify_receive(struct notify *n);

/* Whether call @id still waits for its answer: what was found by the number of its caller is the
 * caller's then. */
bool notify_waits(const struct notify *n, uint64_t id);

/* Starts @run in a thread without signals: they are the main thread's business. 0 or -errno. */
int notify_thread(pthread_t *ret, void *(*run)(void *arg), void *arg);
