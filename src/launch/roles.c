/* SPDX-License-Identifier: MIT */
#include "launch/roles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/ending.h"
#include "base/fd.h"
#include "confine/parts.h"
#include "keep/keeper.h"

#define PLAN_MAX (1 << 20)

void role_give_up(const struct err *e)
{
	dprintf(2, "immure-launch: %s\n", e->msg);
	_exit(127);
}

struct packed *role_plan(int fd, struct err *e)
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
	struct packed *p = lseek(fd, 0, SEEK_SET) < 0 ? NULL : role_plan(fd, &e);

	if (!p) {
		struct run_message m = {.type = RUN_FAILED, .err = e};
		message_send(ctl, &m, -1);
		_exit(127);
	}
	fd_close(&fd);
	init_main(&p->plan, ctl, go);
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
		role_give_up(&e); /* with us the kernel ends the jail */
	fd_close(&fd);
	prctl(PR_SET_NAME, "immure-run");
	ending_as(keeper_run(&keeper));
}

void role_take(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--keep") == 0)
		keep(argv[2]);
	if (argc == 5 && strcmp(argv[1], "--init") == 0)
		be_init(argv + 2);
}
