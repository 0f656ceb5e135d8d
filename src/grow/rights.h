/* SPDX-License-Identifier: MIT */
/* What a run needs to be allowed, found from the calls it makes: capabilities, less common calls,
 * socket families, ports, programs that change their user.
 *
 * The kernel does not tell which capability a call was let through by (its cap_capable tracepoint
 * is Linux 6.14), so each is judged by what the call asks for and by whom the thread runs as then:
 * capabilities(7) says which call needs which. Where that cannot be told from outside, the right
 * counts as needed, provided that the thread has it: rather one more than a service that fails. The
 * proof of the confined jail shows whether one is missing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "grow/event.h"

/* An argument that a call is only looked at with: (arg & mask) == value. */
struct right_match {
	int8_t arg; /* NO_ARG: any */
	uint32_t value, mask;
};

struct right_look;

struct right_call {
	const char *name;
	struct right_match when[2];
	void (*judge)(struct right_look *k);
	int cap; /* all that it can show: once that is known, nobody is looked at; NO_CAP: more */
};
#define NO_CAP (-1)

/* The rows, for the filter, besides the less common calls of confine/calls-policy.h. */
const struct right_call *right_calls(size_t *ret_n);

/* Looks at a call of any kind. Cheap where no row is about it. */
void right_note(struct engine *en, pid_t tid, enum phase phase, uint32_t arch, int nr,
		const uint64_t args[6]);

/* A path that is there, or is about to be made: whether root could use it without CAP_DAC_OVERRIDE
 * and CAP_FOWNER. Returns false where that has to be asked again for another thread. */
bool right_path(struct engine *en, const struct event *ev, struct touch *touch, unsigned kinds);

/* AF_* of a name in a right, or -1. */
int right_family(const char *name);
