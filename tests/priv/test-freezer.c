/* SPDX-License-Identifier: MIT */
/* Control groups of both versions, as far as this host has them: found again by a process, counted,
 * frozen and thawed. */
#include "confine/freezer.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "check.h"
#include "confine/cgroup-use.h"

#define NAME "immure-test-freezer"

/* One that counts into @counter for ever. */
static pid_t counting(volatile unsigned long *counter)
{
	pid_t pid = fork();

	while (pid == 0)
		++*counter;
	return pid;
}

static bool counts(const volatile unsigned long *counter)
{
	unsigned long before = *counter;

	usleep(50000);
	return *counter != before;
}

/* In group @dir alone, whatever version it is of. */
static void freezes(const char *dir)
{
	volatile unsigned long *counter =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct cgroup c = {.dirs = {xstrdup(dir)}, .n = 1}, again;
	pid_t pid = counting(counter);

	CHECK(mkdir(dir, 0755) == 0);
	CHECK(freezer_has(&c));
	cgroup_enter(&c, pid);
	CHECK(counts(counter));
	CHECK_INT(freezer_set(&c, true), 0);
	CHECK(freezer_frozen(&c));
	CHECK(!counts(counter));
	cgroup_of(pid, NAME, &again);
	CHECK_INT((long)again.n, 1);
	CHECK_STR(again.n ? again.dirs[0] : NULL, dir);
	cgroup_forget(&again);
	cgroup_of(pid, NAME "x", &again);
	CHECK_INT((long)again.n, 0);
	CHECK_INT(freezer_set(&c, false), 0);
	CHECK(!freezer_frozen(&c));
	CHECK(counts(counter));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	cgroup_remove(&c);
	CHECK(access(dir, F_OK) < 0);
	munmap((void *)(uintptr_t)counter, 4096);
}

/* Limits are read back where they stand, and only there. */
static void limits(void)
{
	const struct cgroup_limits want = {
	    .memory = 1 << 26, .processes = 70, .weight = 50, .quota = 20000, .period = 50000};
	struct cgroup c CLEANUP_CGROUP = CGROUP_INIT;
	struct cgroup_use use;

	cgroup_make(NAME "-limits", &want, &c);
	cgroup_use(&c, &use);
	if (!cgroup_holds(&c, &want)) {
		printf("# this host has no control groups for all of them\n");
		return;
	}
	CHECK_INT(use.memory_max, 1 << 26);
	CHECK_INT(use.tasks_max, 70);
	CHECK_INT(use.tasks, 0);
	CHECK(use.cpu_max > 0.399 && use.cpu_max < 0.401);
	CHECK_INT(use.cpu_weight, 50);
	CHECK(use.cpu >= 0);
}

int main(void)
{
	static const char *const tops[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified",
					   "/sys/fs/cgroup/freezer"};
	static const char *const files[] = {"cgroup.controllers", "cgroup.controllers", "tasks"};
	struct cgroup none = CGROUP_INIT;

	if (geteuid() != 0)
		return puts("1..0 # SKIP needs root"), 0;
	CHECK(!freezer_has(&none));
	CHECK(!freezer_frozen(&none));
	for (size_t i = 0; i < ARRAY_LEN(tops); i++) {
		CLEANUP_STR char *file = xasprintf("%s/%s", tops[i], files[i]);
		CLEANUP_STR char *dir = xasprintf("%s/" NAME, tops[i]);
		if (access(file, F_OK) == 0)
			freezes(dir);
	}
	limits();
	return check_done("freezer");
}
