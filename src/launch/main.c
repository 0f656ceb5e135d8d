/* SPDX-License-Identifier: MIT */
/* immure-launch: confines and executes. Static, linked with musl where the build host has it, and
 * with nothing else: what it is made of are the sources of base and confine that need no library.
 *
 *   immure-launch --init PLAN CTL GO    the first process of a jail that `immure` has made
 *					 namespaces for: the numbers are inherited descriptors
 *   immure-launch --keep IMAGE		 what stays beside a running jail (keep/keeper.h)
 *   immure-launch FILE			 a compiled plan, carried out by this program alone
 *
 * The stages, each told at the head of its file, what must hold before and after it:
 *
 *   here	  before: descriptors of the caller, its environment empty (--init). After: the plan
 *is read and whole, or nothing happens. init.c	  before: a new pid namespace with nobody in it.
 *After: the world or own namespaces, /proc, the root; the service's process forked; rights but KILL
 *given up. rootfs.c	  before: a mount namespace of our own. After: "/" is the jail, the old root
 *is gone. child.c	  before: the root. After: session, descriptors, limits, no_new_privs,
 *Landlock, filter, bounding set, user, sets of capabilities, each in the one order that works.
 *   selftest.c	  before: all of it. After: read back and found as planned, or no execve(2). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "confine/packed.h"
#include "confine/parts.h"
#include "confine/run.h"
#include "confine/users.h"
#include "keep/keeper.h"

#define PLAN_MAX (1 << 20)

static NORETURN void give_up(const struct err *e)
{
	dprintf(2, "immure-launch: %s\n", e->msg);
	_exit(127);
}

static struct packed *read_plan(int fd, struct err *e)
{
	static struct packed packed;
	char *bytes = NULL;
	size_t len = 0;
	int r = fd_read_all(fd, PLAN_MAX, &bytes, &len);

	if (r < 0)
		err_errno(e, r, "reading the compiled plan");
	else
		r = packed_read(bytes, len, &packed, e);
	return r < 0 ? NULL : &packed;
}

static NORETURN void be_init(char **numbers)
{
	struct err e = {0};
	int ctl = atoi(numbers[1]), go = atoi(numbers[2]);
	CLEANUP_FD int fd = atoi(numbers[0]);
	struct packed *p = lseek(fd, 0, SEEK_SET) < 0 ? NULL : read_plan(fd, &e);

	if (!p) {
		struct run_message m = {.type = RUN_FAILED, .err = e};
		message_send(ctl, &m, -1);
		_exit(127);
	}
	fd_close(&fd);
	init_main(&p->plan, ctl, go);
}

/* A link in its place would make another directory the root. */
static int open_root(struct plan *p, struct err *e)
{
	struct stat st;
	CLEANUP_FD int dir = open(p->root_path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return err_errno(e, -errno, "opening the jail's root %s", p->root_path);
	if (fstat(dir, &st) < 0 || st.st_uid != 0 || st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(e, -EPERM, "%s is not root's alone to write", p->root_path);
	p->root = open_tree(dir, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return p->root < 0 ? err_errno(e, -errno, "taking hold of %s", p->root_path) : 0;
}

static volatile sig_atomic_t passed;

static void pass(int sig)
{
	passed = sig;
}

static void catch_signals(void)
{
	static const int caught[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
	struct sigaction sa = {.sa_handler = pass};

	for (size_t i = 0; i < ARRAY_LEN(caught); i++)
		sigaction(caught[i], &sa, NULL);
}

static NORETURN void end_as(int status)
{
	const struct rlimit no_core = {0, 0};

	if (!WIFSIGNALED(status))
		_exit(WEXITSTATUS(status));
	setrlimit(RLIMIT_CORE, &no_core);
	signal(WTERMSIG(status), SIG_DFL);
	raise(WTERMSIG(status));
	_exit(128 + WTERMSIG(status));
}

static NORETURN void carry_out(const char *path)
{
	struct err e = {0};
	struct run run = RUN_INIT;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		err_errno(&e, -errno, "opening %s", path);
		give_up(&e);
	}
	struct packed *p = read_plan(fd, &e);
	int r = p ? 0 : -EBADMSG;
	close(fd);
	if (r == 0 && p->plan.root_path)
		r = open_root(&p->plan, &e);
	if (r == 0 && p->plan.user_base)
		r = p->plan.user_ns = users_make(p->plan.user_base, &e);
	catch_signals();
	if (r >= 0)
		r = run_start(&p->plan, &run, &e);
	fd_close(&run.listener); /* nobody counts: what the filter refuses is ENOSYS */
	if (r == 0)
		r = run_wait_exec(&run, 0, &e);
	if (r < 0)
		give_up(&e);
	while (!run_poll(&run, -1))
		if (passed) {
			run_signal(&run, passed);
			passed = 0;
		}
	run_end(&run);
	end_as(run.main_status);
}

static NORETURN void keep(const char *number)
{
	static struct keeper keeper;
	struct err e = {0};
	CLEANUP_FD int fd = atoi(number);
	char *bytes = NULL;
	size_t len = 0;
	int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : fd_read_all(fd, PLAN_MAX, &bytes, &len);

	r = r < 0 ? err_errno(&e, r, "reading what to keep") : keeper_read(bytes, len, &keeper, &e);
	if (r < 0)
		give_up(&e); /* with us the kernel ends the jail */
	fd_close(&fd);
	prctl(PR_SET_NAME, "immure-run");
	end_as(keeper_run(&keeper));
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--keep") == 0)
		keep(argv[2]);
	if (argc == 5 && strcmp(argv[1], "--init") == 0)
		be_init(argv + 2);
	if (argc != 2 || argv[1][0] == '-') {
		dprintf(2, "usage: immure-launch PLAN-FILE (immure run NAME is what you want)\n");
		return 2;
	}
	carry_out(argv[1]);
}
