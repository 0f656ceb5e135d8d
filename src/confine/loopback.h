/* SPDX-License-Identifier: MIT */
/* The one interface of a new network namespace, lo, network_namespaces(7): it is down at first. */
#pragma once

#include <stdbool.h>

/* Brings it up in the caller's namespace, with @multicast as some hosts have it. 0 or -errno. */
int loopback_up(bool multicast);
