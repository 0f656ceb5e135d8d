/* SPDX-License-Identifier: MIT */
/* Files that are open in one way or another, by ourselves and by a child that executes one. */
#include "host/idle.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "fs-scratch.h"

static struct scratch here;
static struct strv dirs;

static int put(const char *name, int flags)
{
	int fd = openat(here.fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	CHECK_INT(fd_write_all(fd, "data", 4), 0);
	close(fd);
	return openat(here.fd, name, flags | O_CLOEXEC);
}

static void test_trees(void)
{
	CHECK(mkdirat(here.fd, "sub", 0700) == 0 && mkfifoat(here.fd, "pipe", 0600) == 0);
	CHECK(symlinkat("/dev/full", here.fd, "link") == 0);
	CLEANUP_FD int reads = put("read", O_RDONLY);
	CHECK(reads >= 0);
	CHECK(idle_trees(&dirs)); /* who reads is in nobody's way */

	int writes = put("sub/write", O_WRONLY | O_APPEND);
	CHECK(!idle_trees(&dirs));
	close(writes);
	CHECK(idle_trees(&dirs));

	int mapped = put("map", O_RDWR);
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, mapped, 0);
	close(mapped);
	CHECK(!idle_trees(&dirs));
	munmap(at, 4096);
	CHECK(idle_trees(&dirs));

	/* Another one's lease is not waited for. */
	CLEANUP_FD int lease = put("leased", O_RDONLY);
	CHECK(fcntl(lease, F_SETLEASE, F_WRLCK) == 0);
	CHECK(!idle_trees(&dirs));
	fcntl(lease, F_SETLEASE, F_UNLCK);

	strv_add(&dirs, "/nowhere/at/all");
	CHECK(idle_trees(&dirs));
}

static void test_program(void)
{
	char program[128];

	snprintf(program, sizeof(program), "%s/program", here.path);
	CLEANUP_FD int from = open("/bin/sleep", O_RDONLY | O_CLOEXEC);
	int to = openat(here.fd, "program", O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	char *bytes = NULL;
	size_t len = 0;
	CHECK_INT(fd_read_all(from, 1 << 20, &bytes, &len), 0);
	CHECK_INT(fd_write_all(to, bytes, len), 0);
	free(bytes);
	close(to);
	CHECK(idle_program(program));
	CHECK(!idle_program("/nowhere/at/all"));
	pid_t pid = fork();
	if (pid == 0) {
		execl(program, program, "30", (char *)NULL);
		_exit(127);
	}
	bool seen = false;
	for (int tries = 0; !seen && tries < 1000; tries++) {
		seen = !idle_program(program);
		usleep(1000);
	}
	CHECK(seen);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK(idle_program(program));
}

int main(void)
{
	signal(SIGIO, SIG_IGN); /* our own lease is broken */
	here = scratch_new();
	strv_add(&dirs, here.path);
	test_trees();
	test_program();
	strv_done(&dirs);
	scratch_done(&here);
	return check_done("idle");
}
