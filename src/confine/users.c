/* SPDX-License-Identifier: MIT */
#include "confine/users.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fnv.h"

#define LOWEST	0x80000u    /* 524288 */
#define HIGHEST 0x6fff0000u /* the last range begins here */
#define RANGES	((HIGHEST - LOWEST) / USERS_SIZE + 1)

uid_t users_base(const char *name)
{
	return (uid_t)(LOWEST + fnv(name, strlen(name)) % RANGES * USERS_SIZE);
}

static int write_map(pid_t pid, const char *file, uid_t base)
{
	char path[48], map[48];
	int n = snprintf(map, sizeof(map), "0 %u %u\n", base, USERS_SIZE);

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd_write_all(fd, map, (size_t)n);
}

/* The namespace lives on by its descriptor when the process that it was made for is gone. */
static int make(uid_t base)
{
	struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	char path[48];
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		for (;;)
			pause();
	if (pid < 0)
		return -errno;
	int r = write_map(pid, "uid_map", base);
	if (r == 0)
		r = write_map(pid, "gid_map", base);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	if (r == 0 && (r = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		r = -errno;
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}

int users_make(uid_t base, struct err *e)
{
	int ns = make(base);

	return ns < 0 ? err_errno(e, ns,
				  "PrivateUsers=: making a user namespace (immure check --host: "
				  "user-namespace)")
		      : ns;
}

int users_enter(int ns)
{
	if (setns(ns, CLONE_NEWUSER) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return -errno;
	return 0;
}
