/* SPDX-License-Identifier: MIT */
/* A process on lent memory: what it changes is seen, the caller's frames and descriptors are its
 * own, and it ends by exit or execve(2). */
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "check.h"

struct work {
	int fd, *seen;
	size_t depth;
};

/* Touches a page a step, more of them than the caller has ever had. */
static size_t deep(size_t n)
{
	char page[4096];

	memset(page, (int)n, sizeof(page));
	__asm__ volatile("" : : "r"(page) : "memory"); /* it is needed */
	size_t rest = n ? deep(n - 1) : 0;
	return rest + (page[17] == (char)n);
}

static void work(const void *arg)
{
	const struct work *w = arg;

	close(w->fd);
	*w->seen = (int)deep(w->depth);
	_exit(7);
}

static void run_true(const void *arg)
{
	(void)arg;
	execl("/bin/true", "true", NULL);
	_exit(127);
}

static int status_of(pid_t pid)
{
	int status = 0;

	CHECK_INT(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

/* What lies in the caller's frame, and what it can still do. */
static void check_work(bool lends, bool lent)
{
	int seen = 0, fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const struct work w = {fd, &seen, 200};
	struct clone_args args = {.exit_signal = SIGCHLD};
	uint64_t frame[64];

	for (size_t i = 0; i < ARRAY_LEN(frame); i++)
		frame[i] = i * 0x9e3779b97f4a7c15u;
	__asm__ volatile("" : : "r"(frame) : "memory");
	pid_t pid = spawn(&args, lends, work, &w);
	CHECK(pid > 0);
	CHECK_INT(status_of(pid), 7);
	CHECK_INT(seen, lent ? 201 : 0);
	for (size_t i = 0; i < ARRAY_LEN(frame); i++)
		CHECK(frame[i] == i * 0x9e3779b97f4a7c15u);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	close(fd);
}

static void test_lent(void)
{
	check_work(true, SPAWN_LENDS);
}

static void test_copied(void)
{
	check_work(false, false);
}

static void test_executes(void)
{
	struct clone_args args = {.exit_signal = SIGCHLD};

	CHECK_INT(status_of(spawn(&args, true, run_true, NULL)), 0);
	CHECK_INT(status_of(spawn(&args, false, run_true, NULL)), 0);
}

/* A number that is taken: nothing has been started, and the same arguments serve again. */
static void test_refused(void)
{
	pid_t own = getpid();
	struct clone_args args = {
	    .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&own, .set_tid_size = 1};

	for (int lends = 0; lends < 2; lends++) {
		args.set_tid_size = 1;
		errno = 0;
		CHECK_INT(spawn(&args, lends, run_true, NULL), -1);
		CHECK(errno == EEXIST || errno == EPERM);
		args.set_tid_size = 0;
		args.set_tid = 0;
		CHECK_INT(status_of(spawn(&args, lends, run_true, NULL)), 0);
		args.set_tid = (uintptr_t)&own;
	}
}

int main(void)
{
	test_lent();
	test_copied();
	test_executes();
	test_refused();
	return check_done("spawn");
}
