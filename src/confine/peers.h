/* SPDX-License-Identifier: MIT */
/* With whom a jail may talk, by programs that the kernel runs for its control group, bpf(2).
 *
 * allow, deny  of every packet in and out, by the address of the other side, as
 *		systemd.resource-control(5) has it for IPAddressAllow= and IPAddressDeny=: what is
 *		allowed passes, of the rest what is denied does not. CGROUP_SKB, Linux 4.10.
 * connect_to   of what the jail begins itself, connect(2) and sendto(2) with an address: only
 *		there; clients may come from anywhere. CGROUP_SOCK_ADDR, Linux 4.17.
 *
 * They hang on the group, not on processes, so nothing inside takes them off; they go with it. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/prefix.h"
#include "confine/cgroup.h"

struct peers {
	struct prefix_list allow, deny, connect_to;
	bool limits_connects; /* connect_to counts, though it may be empty: nowhere */
};
#define CLEANUP_PEERS CLEANUP(peers_done)
void peers_done(struct peers *p);

/* Whether there is anything to enforce. */
bool peers_limited(const struct peers *p);

/* Before the first process enters @c. -EOPNOTSUPP where this host has no control group of version 2
 * or no such programs: then nothing may be started. */
int peers_enforce(const struct peers *p, const struct cgroup *c, struct err *e);

/* How many calls connect_to has refused to the jail whose process @pid is in its group @name (a
 * number that the kernel keeps with the programs); -1 where nothing counts. */
long long peers_refused(pid_t pid, const char *name);
