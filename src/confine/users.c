/* SPDX-License-Identifier: MIT */
#include "confine/users.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
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

/* What the kernel counts per user (inotify instances, say, 128 of them) it counts in each namespace
 * up to the first, there against whoever made the next one: were that root, a jail could take all
 * that root has. So the jail's own root makes it, with our rights. */
static NORETURN void live_in_namespace(uid_t base, int ready)
{
	bool good = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
		    prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) == 0 &&
		    syscall(SYS_setresuid, -1, base, -1) == 0 && unshare(CLONE_NEWUSER) == 0;
	int code = good ? 0 : errno;

	if (write(ready, &code, sizeof(code)) == (ssize_t)sizeof(code) && good)
		for (;;)
			pause();
	_exit(1);
}

/* 0 when the namespace is there, else -errno. */
static int wait_until_ready(int ready)
{
	int code = 0;
	ssize_t n;

	while ((n = read(ready, &code, sizeof(code))) < 0 && errno == EINTR)
		;
	return n == (ssize_t)sizeof(code) ? -code : -EPIPE;
}

/* Its maps written, the namespace of process @pid as a descriptor. */
static int map_and_hold(pid_t pid, uid_t base)
{
	char path[48];
	int r = write_map(pid, "uid_map", base);

	if (r == 0)
		r = write_map(pid, "gid_map", base);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The namespace lives on by its descriptor when the process that it was made for is gone. */
static int make(uid_t base)
{
	int ready[2];

	if (pipe2(ready, O_CLOEXEC) < 0)
		return -errno;
	pid_t pid = fork();
	if (pid == 0)
		live_in_namespace(base, ready[1]);
	int r = pid < 0 ? -errno : 0;
	close(ready[1]);
	if (r == 0)
		r = wait_until_ready(ready[0]);
	close(ready[0]);
	if (r == 0)
		r = map_and_hold(pid, base);
	if (pid > 0)
		kill(pid, SIGKILL);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
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
