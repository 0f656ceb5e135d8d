/* SPDX-License-Identifier: MIT */
/* immure-launch: confines and executes. Static, linked with musl where the build host has it, and
 * with nothing else: what it is made of are the sources of base and confine that need no library.
 *
 *   immure-launch ROLE ...		 launch/roles.h
 *   immure-launch FILE			 a compiled plan, carried out by this program alone
 *
 * The stages, each told at the head of its file, what must hold before and after it:
 *
 * 1. here: the descriptors are the caller's, the environment is empty (--init). After it: the
 *    plan is read and whole, or nothing happens.
 * 2. init.c begins in a new pid namespace with nobody in it. After it: the world or namespaces
 *    of its own, /proc, the root; the service's process started; rights but KILL given up.
 * 3. rootfs.c begins in a mount namespace of our own. After it: "/" is the jail, the old root is
 *    gone.
 * 4. child.c begins in that root. After it: session, descriptors, limits, no_new_privs, Landlock,
 *    filter, bounding set, user, sets of capabilities, each in the one order that works.
 * 5. selftest.c, after all of it: read back and found as planned, or no execve(2). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/ending.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "confine/packed.h"
#include "confine/refusals.h"
#include "confine/run.h"
#include "confine/users.h"
#include "launch/roles.h"

static volatile sig_atomic_t passed;

static void pass(int sig)
{
	passed = sig;
}

static void catch_signals(void)
{
	static const int caught[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
	struct sigaction sa = {.sa_handler = pass};
	sigset_t waited_for;

	sigemptyset(&waited_for);
	for (size_t i = 0; i < ARRAY_LEN(caught); i++) {
		sigaction(caught[i], &sa, NULL);
		sigaddset(&waited_for, caught[i]);
	}
	sigprocmask(SIG_BLOCK, &waited_for, NULL); /* but where they are looked at */
}

/* Waits until the init says something, or a signal comes. Meanwhile the calls that are done for the
 * service are, by a thread, which few services need. Nobody counts what the filter refuses. */
static int wait_word(const struct plan *p, struct run *run, struct err *e)
{
	static const struct refusal_answers none;
	const struct listens listens = listens_of(p->walls ? p->walls->landlock : NULL);
	struct pollfd pfd[] = {{.fd = run->ctl, .events = POLLIN},
			       {.fd = run->listener, .events = POLLIN}};
	struct refusals *forever;
	sigset_t no_signals;

	sigemptyset(&no_signals);
	while (!passed && !pfd[0].revents) {
		if (ppoll(pfd, ARRAY_LEN(pfd), NULL, &no_signals) < 0)
			continue;
		int listener = pfd[1].revents & POLLIN ? take_fd(&run->listener) : -1;
		int r = listener < 0 ? 0 : refusals_start(listener, &none, &listens, &forever, e);
		if (r < 0)
			return r;
		if (pfd[1].revents) /* served; or nobody has the filter any more */
			pfd[1].fd = -1;
	}
	return passed ? -EINTR : 0;
}

static NORETURN void carry_out(const char *path)
{
	struct err e = {0};
	struct run run = RUN_INIT;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		err_errno(&e, -errno, "opening %s", path);
		role_give_up(&e);
	}
	struct packed *p = role_plan(fd, &e);
	int r = p ? 0 : -EBADMSG;
	close(fd);
	if (r == 0 && p->plan.root_path)
		r = plan_open_root(&p->plan, &e);
	if (r == 0 && p->plan.user_base)
		r = p->plan.user_ns = users_make(p->plan.user_base, &e);
	catch_signals();
	if (r >= 0)
		r = run_start(&p->plan, &run, &e);
	if (r == 0)
		r = wait_word(&p->plan, &run, &e);
	if (r == -EINTR)
		err_set(&e, r, "interrupted");
	if (r == 0)
		r = run_wait_exec(&run, 0, &e);
	while (r == 0 && !run_poll(&run, 0)) {
		if (wait_word(&p->plan, &run, &e) == -EINTR)
			run_signal(&run, passed);
		passed = 0;
		r = e.code;
	}
	if (r < 0)
		role_give_up(&e);
	run_end(&run);
	ending_as(run.main_status);
}

int main(int argc, char **argv)
{
	role_take(argc, argv);
	if (argc != 2 || argv[1][0] == '-') {
		dprintf(2, "usage: immure-launch PLAN-FILE (immure run NAME is what you want)\n");
		return 2;
	}
	carry_out(argv[1]);
}
