/* SPDX-License-Identifier: MIT */
/* Landlock, landlock(7), as a second wall: what is mounted writable or executable, again by another
 * mechanism of the kernel, and what no mount can say: ports, abstract sockets, signals. Not what
 * may be read: landlock.c says why.
 *
 * It is an extra wall: each kernel does as much as its ABI knows. ABI 1 Linux 5.13 (files), 2 5.19
 * (REFER), 4 6.7 (TCP ports), 5 6.10 (device ioctl), 6 6.12 (abstract sockets,
 * signals). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "confine/plan.h"

struct landlock {
	const uint16_t *bind; /* TCP ports that may be bound; 0 stands for ephemeral ones */
	size_t n_bind;
	bool bind_any;
	const uint16_t *connect;
	size_t n_connect;
	bool connect_any;
	const struct strv
	    *execute;	/* writable places where programs are executed all the same; or NULL */
	uint16_t tried; /* a TCP port that may not be bound, which the self-test tries; 0: none */
	/* Of listen(2), where it is looked at, listens.h: AUDIT_ARCH_* and its number; 0: it is
	 * not. */
	uint32_t listen_arch;
	int listen_call;
	bool scoped; /* no signals and no abstract sockets out of this domain */
};

/* The kernel's ABI, 0 where it has none. */
int landlock_abi(void);

/* Whether it knows ports. */
bool landlock_has_ports(void);

/* Names of walls ("landlock-files", "landlock-net", "landlock-scope" ...) that ABI @abi lacks. */
void landlock_missing(int abi, struct strv *ret);

/* Confines the calling process, which is in the jail's root already and has CAP_SYS_ADMIN or
 * no_new_privs: executing where the jail is read-only, writing, but no execution, where a mount of
 * @p is writable (its /dev, private memory, state, logs), REFER within a writable tree, the ports
 * of @l, scopes. 0 also where the kernel has no Landlock. */
int landlock_confine(const struct landlock *l, const struct plan *p, struct err *e);
