/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/socket.h>

#include "base/prefix.h"
#include "check.h"

static void one(const char *word, int family, unsigned bits, const unsigned char *first, size_t n)
{
	struct prefix_list l CLEANUP_PREFIXES = {0};
	struct err e = {0};

	CHECK(prefix_add(&l, word, &e) == 0 && l.n == 1);
	CHECK(l.v[0].family == family && l.v[0].bits == bits);
	CHECK(memcmp(l.v[0].address, first, n) == 0);
}

static void test_ranges(void)
{
	one("192.0.2.7", AF_INET, 32, (const unsigned char *)"\300\0\2\7", 4);
	one("192.0.2.7/24", AF_INET, 24, (const unsigned char *)"\300\0\2\0", 4);
	one("10.255.0.0/9", AF_INET, 9, (const unsigned char *)"\12\200\0\0", 4);
	one("0.0.0.0/0", AF_INET, 0, (const unsigned char *)"\0\0\0\0", 4);
	one("2001:db8::ff/32", AF_INET6, 32, (const unsigned char *)"\40\1\15\270\0\0\0\0", 8);
	one("::1", AF_INET6, 128, (const unsigned char *)"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
}

static void test_words(void)
{
	static const char *const words[] = {"any", "localhost", "link-local", "multicast"};

	for (size_t i = 0; i < 4; i++) {
		struct prefix_list l CLEANUP_PREFIXES = {0};
		CHECK(prefix_add(&l, words[i], NULL) == 0 && l.n == 2);
		CHECK(l.v[0].family == AF_INET && l.v[1].family == AF_INET6);
	}
}

static void test_wrong(void)
{
	static const char *const words[] = {
	    "",		"example.org", "10.0.0.0/33",	     "10.0.0.0/",
	    "10.0.0/8", "::1/129",     "10.0.0.0/-1",	     "10.0.0.0/8x",
	    "/8",	"Any",	       "1:2:3:4:5:6:7:8:9/1"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct prefix_list l CLEANUP_PREFIXES = {0};
		struct err e = {0};
		CHECK(prefix_add(&l, words[i], &e) < 0 && l.n == 0 && e.msg[0]);
	}
}

int main(void)
{
	test_ranges();
	test_words();
	test_wrong();
	return check_done("prefix");
}
