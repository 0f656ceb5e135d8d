/* SPDX-License-Identifier: MIT */
/* What a service may use of the host: MemoryMax= and TasksMax=, systemd.resource-control(5). */
#pragma once

#include <stdbool.h>

#include "confine/cgroup.h"
#include "confine/peers.h"
#include "spec/spec.h"

/* False where the spec limits nothing. Percentages are of the host's memory, and of its process
 * numbers. */
bool resources_of(const struct spec *s, struct cgroup_limits *ret);

/* Whom its traffic may reach: IPAddressAllow=, IPAddressDeny=, ConnectTo=. Whether there is any
 * such line; @ret, empty before, is the caller's to release. */
bool peers_of(const struct spec *s, struct peers *ret);
