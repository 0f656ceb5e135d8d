/* SPDX-License-Identifier: MIT */
/* What a service may use of the host: MemoryMax=, TasksMax=, CPUQuota=, CPUWeight=,
 * MemoryHigh=, IOWeight= and so on of
 * systemd.resource-control(5), and the control group that holds it to that. */
#pragma once

#include <stdbool.h>

#include "confine/cgroup.h"
#include "confine/peers.h"
#include "keep/dirs.h"
#include "spec/spec.h"

/* False where the spec limits nothing. Percentages are of the host's memory, and of its process
 * numbers. */
bool resources_of(const struct spec *s, struct cgroup_limits *ret);

/* Adds a line for people for each that this host cannot carry out and that stops no start. */
void resources_notes(const struct spec *s, struct strv *ret);

/* What the jail's control group is called, new: the same name in another state directory is another
 * jail. */
char *resources_group_name(const struct dirs *d, const char *name);

/* Makes the control group for a start of @s: with its limits in the @background; under an init
 * system, whose unit has the limits, one below the unit's that takes nothing away. What a killed
 * supervisor left of it is removed. On a host without control groups it is empty; -EOPNOTSUPP where
 * @s has a limit, or peers, that this cannot hold. */
int resources_group(const struct dirs *d, const struct spec *s, bool background, struct cgroup *ret,
		    struct err *e);

/* Whom its traffic may reach: IPAddressAllow=, IPAddressDeny=, ConnectTo=; and what it may bind:
 * SocketBindAllow=, SocketBindDeny=. Whether there is any
 * such line; @ret, empty before, is the caller's to release. */
bool peers_of(const struct spec *s, struct peers *ret);
