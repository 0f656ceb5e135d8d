/* SPDX-License-Identifier: MIT */
/* Sockets that a service is handed, sd_listen_fds(3): those of the manager that runs us, or those
 * that Listen= names, opened here. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "confine/plan.h"
#include "spec/spec.h"

struct passed {
	int fds[PLAN_PASS_MAX];
	size_t n;
	struct strv names; /* LISTEN_FDNAMES, one each; may be empty */
};
#define PASSED_INIT                                                                                \
	{                                                                                          \
		.n = 0                                                                             \
	}
#define CLEANUP_PASSED CLEANUP(passed_done)
void passed_done(struct passed *p);

/* What the environment says was handed to this process; taken out of it. -E2BIG for too many. */
int passed_inherit(struct passed *ret, struct err *e);

/* Opens what Listen= of @s names, in the network namespace @net_ns (-1: ours). Unix sockets are
 * made below @root (O_PATH), in the place of one that nobody listens on. */
int passed_open(const struct spec *s, int net_ns, int root, struct passed *ret, struct err *e);

/* Puts them into a plan and its environment. */
void passed_plan(const struct passed *p, const struct spec *s, struct strv *env, struct plan *plan);

/* Whether @listener, a name of jail/ready.h, is one of them. */
bool passed_has(const struct passed *p, const struct spec *s, const char *listener);
