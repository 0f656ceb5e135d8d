/* SPDX-License-Identifier: MIT */
/* What a unit's own hardening, systemd.exec(5), takes away from a jail: from what was learnt, from
 * the base set, from Rights= too. It never gives anything.
 *
 * A call that it takes is refused with EPERM and counted, where systemd would end the service
 * (SystemCallErrorNumber= says so, or not): either way the call is not made. */
#pragma once

#include "confine/calls-policy.h"
#include "grow/right-list.h"
#include "spec/spec.h"

struct hardening {
	struct strv calls;
	uint64_t families;   /* 1 << AF_* */
	uint64_t namespaces; /* CLONE_NEW* */
	bool write_execute, realtime, set_id_modes, compat, proc;
	bool no_new_privs; /* as systemd implies it */
};
#define HARDENING_INIT                                                                             \
	{                                                                                          \
		.calls = STRV_INIT                                                                 \
	}
void hardening_done(struct hardening *h);
#define CLEANUP_HARDENING CLEANUP(hardening_done)

/* Of all directives, or of the one named @only. -EINVAL where one has a word that nobody knows:
 * what it would take cannot be told then. */
int hardening_of(const struct spec *s, const char *only, struct hardening *ret, struct err *e);

/* Whether the switch @key is on. */
bool hardening_is_on(const struct spec *s, const char *key);

/* Takes it from @set, which gets @h's calls. */
void hardening_take(struct hardening *h, struct call_set *set);

/* Adds a line for people for each right of @p that a run used and the spec takes away: with the
 * directive that does. */
void hardening_conflicts(const struct spec *s, const struct right_list *p, struct strv *ret);
