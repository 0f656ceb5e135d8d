/* SPDX-License-Identifier: MIT */
/* Commands around a run: their time, and what they are told. */
#include "keep/errand.h"

#include <signal.h>

#include "base/str.h"
#include "check.h"

#define EXIT(n)			     ((n) << 8)
#define TENTHS(limit, spent, tenths) (int)(errand_share(limit, spent, tenths) * 100)

/* All parts of a stop together have the time that it has. */
static void test_shares(void)
{
	CHECK_INT(TENTHS(90, 0, 8), 7200);
	CHECK_INT(TENTHS(90, 72, 9), 900);
	CHECK_INT(TENTHS(90, 81, 10), 900);
	CHECK_INT(TENTHS(90, 1, 10), 8900);
	CHECK_INT(TENTHS(0, 5, 8), 0);	  /* for ever */
	CHECK_INT(TENTHS(10, 11, 10), 1); /* none left, which is not for ever */
}

static void test_results(void)
{
	static const struct {
		bool exited;
		int status;
		const char *result;
	} rows[] = {
	    {false, 0, "success"},	 {true, EXIT(0), "success"},
	    {true, SIGTERM, "success"},	 {true, EXIT(3), "exit-code"},
	    {true, SIGKILL, "signal"},	 {true, SIGSEGV | 0x80, "core-dump"},
	    {true, EXIT(42), "success"},
	};
	struct again a = {.when = AGAIN_NO};

	exits_add_code(&a.success, 42);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct run r = RUN_INIT;
		r.main_exited = rows[i].exited;
		r.main_status = rows[i].status;
		CHECK_STR(errand_result(&r, &a), rows[i].result);
	}
}

int main(void)
{
	for (enum errand_which w = ERRAND_STARTED; w <= ERRAND_STOPPED; w++)
		CHECK_INT(errand_find(errand_name(w)), w);
	CHECK_INT(errand_find("any"), -1);
	test_shares();
	test_results();
	return check_done("errand");
}
