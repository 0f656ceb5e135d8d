/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/bind-rule.h"
#include "base/str.h"
#include "check.h"

static void test_words(void)
{
	static const struct {
		const char *word;
		struct bind_rule want;
	} rows[] = {
	    {"any", {0}},
	    {"ipv4", {.family = AF_INET}},
	    {"udp", {.protocol = IPPROTO_UDP}},
	    {"80", {.low = 80, .high = 80, .ports = true}},
	    {"ipv6:tcp", {.family = AF_INET6, .protocol = IPPROTO_TCP}},
	    {"ipv6:10000-65535", {.family = AF_INET6, .low = 10000, .high = 65535, .ports = true}},
	    {"ipv4:udp:53",
	     {.family = AF_INET, .protocol = IPPROTO_UDP, .low = 53, .high = 53, .ports = true}},
	    {"tcp:7-7", {.protocol = IPPROTO_TCP, .low = 7, .high = 7, .ports = true}},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bind_rules l CLEANUP_BIND_RULES = {0};
		const struct bind_rule *want = &rows[i].want;
		CHECK_INT(bind_rule_add(&l, rows[i].word, NULL), 0);
		CHECK_INT(l.n, 1);
		CHECK(l.v[0].family == want->family && l.v[0].protocol == want->protocol);
		CHECK(l.v[0].low == want->low && l.v[0].high == want->high);
		CHECK_INT(l.v[0].ports, want->ports);
	}
}

static void test_wrong(void)
{
	static const char *const words[] = {"",
					    "0",
					    "65536",
					    "9-8",
					    "80-",
					    "-80",
					    "tcp:",
					    ":80",
					    "Any",
					    "any:80",
					    "sctp:1",
					    "tcp:udp",
					    "tcp:ipv4",
					    "ipv4:ipv6",
					    "80x",
					    "1-2-3",
					    "0-9",
					    "ipv4tcp",
					    "99999999999999999999"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct bind_rules l CLEANUP_BIND_RULES = {0};
		struct err e = {0};
		CHECK(bind_rule_add(&l, words[i], &e) < 0 && !l.n && e.msg[0]);
	}
}

static void test_match(void)
{
	struct bind_rules l CLEANUP_BIND_RULES = {0};

	CHECK(!bind_rules_match(&l, AF_INET, IPPROTO_TCP, 80));
	bind_rule_add(&l, "ipv4:tcp:80-82", NULL);
	bind_rule_add(&l, "ipv6:udp", NULL);
	CHECK(bind_rules_match(&l, AF_INET, IPPROTO_TCP, 80));
	CHECK(bind_rules_match(&l, AF_INET, IPPROTO_TCP, 82));
	CHECK(!bind_rules_match(&l, AF_INET, IPPROTO_TCP, 83));
	CHECK(!bind_rules_match(&l, AF_INET, IPPROTO_UDP, 80));
	CHECK(!bind_rules_match(&l, AF_INET6, IPPROTO_TCP, 80));
	CHECK(bind_rules_match(&l, AF_INET6, IPPROTO_UDP, 0));
}

int main(void)
{
	test_words();
	test_wrong();
	test_match();
	return check_done("bind-rule");
}
