/* SPDX-License-Identifier: MIT */
/* When a service is started again, and after how long. */
#include "keep/again.h"

#include <signal.h>

#include "base/attr.h"
#include "check.h"

#define EXIT(n) ((n) << 8)

static void test_ends(void)
{
	CHECK_INT(again_end_of(EXIT(0)), END_CLEAN);
	CHECK_INT(again_end_of(EXIT(3)), END_FAILED);
	CHECK_INT(again_end_of(SIGTERM), END_CLEAN);
	CHECK_INT(again_end_of(SIGPIPE), END_CLEAN);
	CHECK_INT(again_end_of(SIGSEGV), END_SIGNAL);
	CHECK_INT(again_end_of(SIGKILL), END_SIGNAL);
}

/* systemd.service(5): by Restart=, whether a clean end, a failure, a signal, a missed watchdog. */
static void test_table(void)
{
	static const struct {
		enum again_when when;
		bool again[4];
	} rows[] = {
	    {AGAIN_NO, {false, false, false, false}},
	    {AGAIN_ON_SUCCESS, {true, false, false, false}},
	    {AGAIN_ON_FAILURE, {false, true, true, true}},
	    {AGAIN_ON_ABNORMAL, {false, false, true, true}},
	    {AGAIN_ON_ABORT, {false, false, true, false}},
	    {AGAIN_ON_WATCHDOG, {false, false, false, true}},
	    {AGAIN_ALWAYS, {true, true, true, true}},
	};
	const struct again_history none = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int end = 0; end < 4; end++) {
			const struct again a = {.when = rows[i].when, .delay_ms = 100};
			CHECK_INT(again_delay(&a, &none, (enum again_end)end, 5),
				  rows[i].again[end] ? 100 : -1);
		}
}

static void test_limit(void)
{
	const struct again a = {
	    .when = AGAIN_ALWAYS, .delay_ms = 7, .burst = 3, .interval_ms = 1000};
	struct again_history h = {0};

	again_started(&h, 0);
	again_started(&h, 400);
	CHECK_INT(again_delay(&a, &h, END_FAILED, 500), 7);
	again_started(&h, 600);
	CHECK_INT(again_delay(&a, &h, END_FAILED, 999), -2);
	CHECK_INT(again_delay(&a, &h, END_FAILED, 1000), 7); /* the first is long ago */
	for (int i = 0; i < 200; i++)
		again_started(&h, 2000 + i);
	CHECK_INT(again_delay(&a, &h, END_FAILED, 2300), -2);
	CHECK_INT(again_delay(&a, &h, END_FAILED, 9000), 7);
	CHECK_INT(again_delay(&a, &h, END_CLEAN, 9000), 7);
}

static void test_steps(void)
{
	const struct again a = {
	    .when = AGAIN_ALWAYS, .delay_ms = 100, .max_delay_ms = 100000, .steps = 3};
	static const long want[] = {100, 1000, 10000, 100000, 100000};
	struct again_history h = {0};

	for (unsigned i = 0; i < ARRAY_LEN(want); i++) {
		h.in_row = i;
		long delay = again_delay(&a, &h, END_FAILED, 0);
		CHECK(delay >= want[i] - 1 && delay <= want[i]);
	}
}

/* SuccessExitStatus=, RestartPreventExitStatus=, RestartForceExitStatus=. */
static void test_statuses(void)
{
	struct again a = {.when = AGAIN_ON_FAILURE, .delay_ms = 7};
	struct again never = {.when = AGAIN_NO, .delay_ms = 7};
	const struct again_history none = {0};

	exits_add_code(&a.success, 143);
	exits_add_signal(&a.success, SIGKILL);
	exits_add_code(&a.never, 255);
	exits_add_code(&never.always, 0);
	CHECK_INT(again_end_by(&a, EXIT(143)), END_CLEAN);
	CHECK_INT(again_end_by(&a, EXIT(142)), END_FAILED);
	CHECK_INT(again_end_by(&a, EXIT(9)), END_FAILED);
	CHECK_INT(again_end_by(&a, SIGKILL), END_CLEAN);
	CHECK_INT(again_end_by(&a, SIGSEGV), END_SIGNAL);
	CHECK_INT(again_delay_by(&a, &none, EXIT(143), 0), -1);
	CHECK_INT(again_delay_by(&a, &none, EXIT(255), 0), -1);
	CHECK_INT(again_delay_by(&a, &none, EXIT(254), 0), 7);
	CHECK_INT(again_delay_by(&never, &none, EXIT(0), 0), 7);
	CHECK_INT(again_delay_by(&never, &none, EXIT(1), 0), -1);
	/* What is never to be is stronger. */
	exits_add_code(&never.never, 0);
	CHECK_INT(again_delay_by(&never, &none, EXIT(0), 0), -1);
}

int main(void)
{
	test_ends();
	test_table();
	test_limit();
	test_steps();
	test_statuses();
	return check_done("again");
}
