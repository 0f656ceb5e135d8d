/* SPDX-License-Identifier: MIT */
/* With whom a jail may talk, and where it may listen, by programs that the kernel runs for its
 *control group, bpf(2).
 *
 * allow, deny  of every packet in and out, by the address of the other side, as
 *		systemd.resource-control(5) has it for IPAddressAllow= and IPAddressDeny=: what is
 *		allowed passes, of the rest what is denied does not. CGROUP_SKB, Linux 4.10.
 * connect_to   of what the jail begins itself, connect(2) and sendto(2) with an address: only
 *		there; clients may come from anywhere. CGROUP_SOCK_ADDR, Linux 4.17.
 * binds	of bind(2): what bind_allow has passes, of the rest what bind_deny has does not, as
 *		SocketBindAllow= and SocketBindDeny= have it there. Of UDP no other wall knows the
 *		ports. The same.
 *
 * They hang on the group, not on processes, so nothing inside takes them off; they go with it. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/bind-rule.h"
#include "base/err.h"
#include "base/prefix.h"
#include "confine/cgroup.h"

struct peers {
	struct prefix_list allow, deny, connect_to;
	bool limits_connects; /* connect_to counts, though it may be empty: nowhere */
	struct bind_rules bind_allow, bind_deny;
};
#define CLEANUP_PEERS CLEANUP(peers_done)
void peers_done(struct peers *p);

/* Whether there is anything to enforce. */
bool peers_limited(const struct peers *p);

/* Before the first process enters @c. -EOPNOTSUPP where this host has no control group of version 2
 * or no such programs: then nothing may be started. */
int peers_enforce(const struct peers *p, const struct cgroup *c, struct err *e);

struct peers_refused {
	long long connects, binds; /* calls; -1 where nothing counts */
};

/* What was refused to the jail whose process @pid is in its group @name: numbers that the kernel
 * keeps with the programs. */
void peers_refused(pid_t pid, const char *name, struct peers_refused *ret);
