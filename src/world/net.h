/* SPDX-License-Identifier: MIT */
/* The network of a world: lo alone, with the host's face. */
#pragma once

#include "base/err.h"

/* Addresses and settings of the network that the caller is in, to be put on with net_dress(). */
struct net_face;

/* Remembers the addresses and the net.* settings of the caller's own network namespace. */
struct net_face *net_observe(void);

/* In a fresh network namespace: lo up, the remembered addresses on it as /32 and /128 (getaddrinfo
 * with AI_ADDRCONFIG and `Listen 192.0.2.2` need them), the settings written where they exist. Any
 * other address is ENETUNREACH at once, but for multicast, where the host has it: that is heard on
 * lo. */
int net_dress(const struct net_face *face, struct err *e);

void net_face_free(struct net_face *face);
