/* SPDX-License-Identifier: MIT */
/* A set of ways in which a process can end: exit statuses and signals. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct exits {
	uint8_t codes[32]; /* a bit an exit status */
	uint64_t signals;  /* a bit a signal, from 1 on */
};

void exits_add_code(struct exits *x, unsigned code); /* 0 to 255 */
void exits_add_signal(struct exits *x, int sig);     /* 1 to 64 */

/* Whether one that ended so, as of waitpid(2), is in it. */
bool exits_has(const struct exits *x, int status);
