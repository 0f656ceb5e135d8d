/* SPDX-License-Identifier: MIT */
/* Plain checks with TAP output. A failed check is told with its place; main() returns check_done().
 */
#pragma once

#include <stdio.h>
#include <string.h>

static int check_n, check_failed;

static inline void check_(int ok, const char *what, const char *file, int line)
{
	check_n++;
	if (ok)
		return;
	check_failed++;
	printf("not ok %d - %s:%d: %s\n", check_n, file, line, what);
}

#define CHECK(cond) check_(!!(cond), #cond, __FILE__, __LINE__)

#define CHECK_INT(got, want)                                                                       \
	do {                                                                                       \
		long long got_ = (got), want_ = (want);                                            \
		if (got_ != want_)                                                                 \
			printf("# %s is %lld, not %lld\n", #got, got_, want_);                     \
		check_(got_ == want_, #got " == " #want, __FILE__, __LINE__);                      \
	} while (0)

#define CHECK_STR(got, want)                                                                       \
	do {                                                                                       \
		const char *got_ = (got), *want_ = (want);                                         \
		int same_ = got_ && want_ ? strcmp(got_, want_) == 0 : got_ == want_;              \
		if (!same_)                                                                        \
			printf("# %s is \"%s\", not \"%s\"\n", #got, got_ ? got_ : "(null)",       \
			       want_ ? want_ : "(null)");                                          \
		check_(same_, #got " == " #want, __FILE__, __LINE__);                              \
	} while (0)

static inline int check_done(const char *name)
{
	if (!check_failed)
		printf("ok 1 - %s: %d checks\n", name, check_n);
	printf("1..%d\n", check_failed ? check_n : 1);
	return check_failed != 0;
}
