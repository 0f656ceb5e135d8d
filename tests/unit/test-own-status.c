/* SPDX-License-Identifier: MIT */
/* /proc and the calls say the same, whatever the process is like. */
#include "confine/own-status.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void nothing(int sig)
{
	(void)sig;
}

/* In a child: a signal of each kind, and a bounding set that lacks what it may lack. */
static int differ(void)
{
	const struct sigaction caught = {.sa_handler = nothing};
	struct own_status proc, calls;
	sigset_t some;

	sigemptyset(&some);
	sigaddset(&some, SIGUSR2);
	sigaddset(&some, SIGRTMAX);
	if (sigprocmask(SIG_BLOCK, &some, NULL) < 0 || signal(SIGHUP, SIG_IGN) == SIG_ERR ||
	    sigaction(SIGUSR1, &caught, NULL) < 0)
		return 1;
	prctl(PR_CAPBSET_DROP, 5, 0, 0, 0); /* EPERM for who is not root: then it is there */
	if (own_status_by_proc(&proc) < 0 || own_status_by_calls(&calls) < 0)
		return 2;
	if (proc.blocked != calls.blocked || !(proc.blocked >> (SIGRTMAX - 1) & 1))
		return 3;
	if (proc.ignored != calls.ignored || !(proc.ignored >> (SIGHUP - 1) & 1))
		return 4;
	if (proc.caught != calls.caught || !(proc.caught >> (SIGUSR1 - 1) & 1))
		return 5;
	bool root = geteuid() == 0;
	return proc.bounding != calls.bounding || (root && proc.bounding >> 5 & 1) ? 6 : 0;
}

static void test_same(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(differ());
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
}

static void test_chosen(void)
{
	struct own_status now;

	CHECK_INT(own_status(&now), 0);
}

int main(void)
{
	test_same();
	test_chosen();
	return check_done("own-status");
}
