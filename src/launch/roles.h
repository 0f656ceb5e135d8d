/* SPDX-License-Identifier: MIT */
/* What a process of a jail that is none of the service's own does: immure-launch and the front are
 * executed as one of these.
 *
 *   --init PLAN CTL GO	 the first process of a jail that the caller has made namespaces for: the
 *			 numbers are inherited descriptors
 *   --keep IMAGE	 what stays beside a running jail (keep/keeper.h) */
#pragma once

#include "base/attr.h"
#include "confine/packed.h"

/* Never returns where the arguments name one of them. */
void role_take(int argc, char **argv);

/* The plan that @fd holds, as long as the process lives; or NULL. */
struct packed *role_plan(int fd, struct err *e);

NORETURN void role_give_up(const struct err *e);
