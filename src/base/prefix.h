/* SPDX-License-Identifier: MIT */
/* Ranges of IP addresses, as IPAddressAllow= of systemd.resource-control(5) writes them. */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

struct prefix {
	int family;		   /* AF_INET or AF_INET6 */
	unsigned bits;		   /* that must agree */
	unsigned char address[16]; /* network order; 4 bytes count for AF_INET */
};

struct prefix_list {
	struct prefix *v;
	size_t n;
};
#define CLEANUP_PREFIXES CLEANUP(prefix_list_done)
void prefix_list_done(struct prefix_list *l);

/* Adds what @word means: "any", "localhost", "link-local", "multicast", "192.0.2.0/24", "::1".
 * -EINVAL with what is wanted instead. @l may be NULL: then it is only looked at. */
int prefix_add(struct prefix_list *l, const char *word, struct err *e);
