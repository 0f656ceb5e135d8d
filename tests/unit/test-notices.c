/* SPDX-License-Identifier: MIT */
/* What of a service's words goes on to its manager. */
#include "keep/notices.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "check.h"

static const struct {
	const char *text, *before, *after; /* passed on before it is known to be ready, and later */
} rows[] = {
    {"READY=1", "", "READY=1\n"},
    {"READY=1\nSTATUS=at work\n", "STATUS=at work\n", "READY=1\nSTATUS=at work\n"},
    {"STATUS=red \x1b[31m\n", "STATUS=red ?[31m\n", "STATUS=red ?[31m\n"},
    {"RELOADING=1\nMONOTONIC_USEC=12", "RELOADING=1\nMONOTONIC_USEC=12\n",
     "RELOADING=1\nMONOTONIC_USEC=12\n"},
    {"WATCHDOG=1", "WATCHDOG=1\n", "WATCHDOG=1\n"},
    {"FDSTORE=1\nFDNAME=x", "", ""},
    {"BARRIER=1", "", ""},
    {"MAINPID=1\nMAINPID=x\nMAINPID=-1\nMAINPID=99999999999", "", ""},
    {"X_OWN=1\n\n\n=\nREADY", "", ""},
    {"", "", ""},
};

static void test_rows(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct notices n = NOTICES_INIT;
		size_t len = strlen(rows[i].text);
		CLEANUP_STR char *before = notices_take(&n, rows[i].text, len, false);
		CLEANUP_STR char *after = notices_take(&n, rows[i].text, len, true);
		CHECK_STR(before, rows[i].before);
		CHECK_STR(after, rows[i].after);
	}
}

/* This process stands for the init of a run, its child for the service. */
static void test_main(void)
{
	const struct run r = {.init = getpid()};
	struct notices n = NOTICES_INIT;
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	CLEANUP_STR char *inside = xasprintf("MAINPID=%d", (int)run_pid_inside(child));
	CLEANUP_STR char *outside = xasprintf("MAINPID=%d\n", (int)child);
	CLEANUP_STR char *passed = notices_take(&n, inside, strlen(inside), true);
	CHECK_STR(passed, "");
	CLEANUP_STR char *told = notices_claim(&n, &r);
	CHECK_STR(told, outside);
	/* One of another's is nobody's. */
	free(notices_take(&n, "MAINPID=1", 9, true));
	CHECK(!notices_claim(&n, &r));
	CHECK_INT(n.main, child);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void test_seen(void)
{
	struct notices n = NOTICES_INIT;
	const char text[] = "READY=1\nSTOPPING=1\nWATCHDOG=1\nWATCHDOG=trigger\nSTATUS=x";

	free(notices_take(&n, text, strlen(text), true));
	CHECK(n.ready && n.stopping && n.trigger);
	CHECK_INT(n.beats, 1);
	CHECK_STR(n.status, "x");
}

int main(void)
{
	test_rows();
	test_main();
	test_seen();
	return check_done("notices");
}
