/* SPDX-License-Identifier: MIT */
/* Whether the twins of a build may run on copies of this host's state.
 *
 * An overlay of a directory in which a process of the host writes meanwhile is torn: neither its
 * old nor its new content (research/worlds.md: 3 of 10 databases did not start). With the host's
 * network a twin that has real state may act on it outside: send queued mail, write to a database.
 */
#pragma once

#include "base/err.h"
#include "grow/record.h"
#include "jail/layout.h"
#include "spec/spec.h"

/* -EBUSY where a process of the host has a file of the service's state open for writing: it is
 * named with its unit, and with the choices: stop it, or Sample= in its four forms. State is what
 * @l says, and what @record (may be NULL) saw written or read among the files that are open. Locks,
 * sockets, logs and what Sample= stands for are passed over. */
int state_in_use(const struct spec *s, const struct layout *l, const struct record *record,
		 struct err *e);

/* -EPERM where Net=host would let a twin carry real state (not empty, no Sample=) outside. */
int state_may_leave(const struct spec *s, const struct layout *l, int host, struct err *e);
