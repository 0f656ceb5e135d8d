/* SPDX-License-Identifier: MIT */
/* What the tests of selftest.c and selftest-around.c share. All of it by system calls, and by a
 * /proc only where it is one: a jail may have none, and a service of root might have put something
 * else there in an ExecStartPre=. */
#pragma once

#include "base/attr.h"
#include "confine/selftest.h"

struct test {
	const struct plan *p;
	int report;
	bool words; /* somebody will read them */
	struct selftest_row *row;
};

/* What should be, and what is: the two texts of the row where there are words, and its result. */
void selftest_want(struct test *t, const char *fmt, ...) PRINTF(2, 3);
void selftest_is(struct test *t, bool held, const char *fmt, ...) PRINTF(3, 4);

/* selftest-around.c: what is around the process, while selftest.c tests the process itself. */
void test_root(struct test *t);
void test_mounts(struct test *t);
void test_pids(struct test *t);
void test_namespaces(struct test *t);
void test_proc(struct test *t);
void test_landlock(struct test *t);
