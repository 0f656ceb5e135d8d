/* SPDX-License-Identifier: MIT */
/* What bind(2) is asked for, as SocketBindAllow= of systemd.resource-control(5) writes it:
 * "ipv4:tcp:80", "udp:5000-5009", "ipv6", "any". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct bind_rule {
	int family;   /* AF_INET, AF_INET6, or 0: either */
	int protocol; /* IPPROTO_TCP, IPPROTO_UDP, or 0: whichever */
	uint16_t low, high;
	bool ports; /* else any, 0 too, by which the kernel chooses one */
};

struct bind_rules {
	struct bind_rule *v;
	size_t n;
};
#define CLEANUP_BIND_RULES CLEANUP(bind_rules_done)
void bind_rules_done(struct bind_rules *l);

/* -EINVAL with what is wanted instead. @l may be NULL: then the word is only looked at. */
int bind_rule_add(struct bind_rules *l, const char *word, struct err *e);

/* Whether one of them is about this. */
bool bind_rules_match(const struct bind_rules *l, int family, int protocol, uint16_t port);
