/* SPDX-License-Identifier: MIT */
/* The relay of one RUN directory: immure-relay (relay/main.c), started by whoever needs it first.
 *
 * RUN/.relay.lock is held by the relay for as long as it lives, RUN/.relay.sock is where it
 * listens; both are root's alone. */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* Connects to it; *ret_pid is the relay's. A descriptor, or -ECONNREFUSED and its kin where there
 * is none. Never waits. */
int relay_connect(const char *run_dir, pid_t *ret_pid);

/* Executes the relay @program where none runs: 0, -EBUSY where there is one, or it is just being
 * started. */
int relay_start(const char *run_dir, int program, struct err *e);

/* Removes what a relay that has ended left in RUN; where one runs, nothing. */
void relay_clear(const char *run_dir);

/* A path below the directory @dir for bind(2) and connect(2), which have room for 107 bytes. */
#define RELAY_PATH_MAX 108
const char *relay_path(char buf[RELAY_PATH_MAX], int dir, const char *name);
