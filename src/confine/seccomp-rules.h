/* SPDX-License-Identifier: MIT */
/* Calls that a jail's filter looks at the arguments of, as tables; seccomp.c makes BPF of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "confine/calls-policy.h"

/* A comparison: (argument & mask) == value. */
struct arg {
	unsigned number;
	uint32_t mask, value;
};

/* A rule that lets a call through where all its arguments are as said. Several rules of one call:
 * where one of them says so. */
struct rule {
	const char *name;
	int number; /* younger than libseccomp; else 0 */
	struct arg args[2];
};

#define RULE_END                                                                                   \
	{                                                                                          \
		0, 0, 0                                                                            \
	}

/* Where @holds says so, the calls of @rules are let through by them alone, and those of @absent are
 * ENOSYS: libc falls back to what can be seen. */
struct limit {
	bool (*holds)(const struct call_set *set);
	const struct rule *rules;
	size_t n_rules;
	const char *const *absent;
	size_t n_absent;
};
const struct limit *seccomp_limits(size_t *ret_n);

/* What child.c calls between the filter and the service. */
const char *const *seccomp_own_calls(size_t *ret_n);
