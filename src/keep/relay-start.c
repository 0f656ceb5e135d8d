/* SPDX-License-Identifier: MIT */
#include "keep/relay-start.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fnv.h"
#include "base/kernel.h"
#include "fs/lock.h"

#define PROGRAM "immure-relay"
#define SOCKET	".relay.sock"
#define LOCK	".relay.lock"

/* A user of its own that nobody else is: above the containers' and below the overflow of 2^31
 * (systemd's UIDS-GIDS.md lists these numbers as unused); another one for each RUN directory. */
#define FIRST_USER 1879048192u
#define USERS	   0x00ffffffu

const char *relay_path(char buf[RELAY_PATH_MAX], int dir, const char *name)
{
	snprintf(buf, RELAY_PATH_MAX, "/proc/self/fd/%d/%s", dir, name);
	return buf;
}

static struct sockaddr_un address(int dir)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	relay_path(a.sun_path, dir, SOCKET);
	return a;
}

int relay_connect(const char *run_dir, pid_t *ret_pid)
{
	CLEANUP_FD int dir = open(run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct sockaddr_un a = address(dir);
	struct ucred peer = {0};
	socklen_t len = sizeof(peer);

	if (dir < 0 || fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return -errno;
	*ret_pid = peer.pid;
	return take_fd(&fd);
}

static int make_socket(int dir)
{
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct sockaddr_un a = address(dir);

	unlinkat(dir, SOCKET, 0); /* of one that is gone: we have its lock */
	mode_t old = umask(0177);
	int r = fd < 0 ? -1 : bind(fd, (const struct sockaddr *)&a, sizeof(a));
	int code = -errno;
	umask(old);
	return r < 0 ? code : take_fd(&fd);
}

/* In a child of a child, which shares our memory until it executes: only what may be called after
 * vfork(2). */
static NORETURN void execute(int program, int listener, int lock, const char *uid)
{
	char name[] = PROGRAM, number[16];
	char *const argv[] = {name, number, NULL};
	char *const envp[] = {NULL};
	sigset_t none;

	snprintf(number, sizeof(number), "%s", uid);
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Out of the way of the places that they go to. */
	listener = fcntl(listener, F_DUPFD_CLOEXEC, 10);
	lock = fcntl(lock, F_DUPFD_CLOEXEC, 10);
	program = fcntl(program, F_DUPFD_CLOEXEC, 10);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	if (dup2(listener, 3) < 0 || dup2(lock, 4) < 0 || chdir("/") < 0)
		_exit(127);
	close_range(5, ~0U, CLOSE_RANGE_CLOEXEC);
	fexecve(program, argv, envp);
	_exit(127);
}

void relay_clear(const char *run_dir)
{
	CLEANUP_FD int dir = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int lock = dir < 0 ? -1 : lock_try(dir, LOCK, NULL);

	if (lock < 0)
		return;
	unlinkat(dir, SOCKET, 0);
	unlinkat(dir, LOCK, 0);
}

/* A copy of our memory would take longer than all else here. A function of its own: what a child
 * shares with us is its few words of the stack. */
static __attribute__((noinline)) int execute_apart(int program, int listener, int lock,
						   const char *uid)
{
	pid_t pid = vfork();

	if (pid == 0) {
		if (vfork() != 0)
			_exit(0);
		execute(program, listener, lock, uid);
	}
	if (pid < 0)
		return -errno;
	waitpid(pid, NULL, 0);
	return 0;
}

int relay_start(const char *run_dir, int program, struct err *e)
{
	CLEANUP_FD int dir = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int lock = dir < 0 ? -1 : lock_try(dir, LOCK, NULL);
	char uid[16];

	if (dir < 0 || lock < 0)
		return dir < 0 ? err_errno(e, -errno, "opening %s", run_dir) : lock;
	CLEANUP_FD int listener = make_socket(dir);
	if (listener < 0)
		return err_errno(e, listener, "making %s/%s", run_dir, SOCKET);
	snprintf(uid, sizeof(uid), "%u",
		 FIRST_USER + (unsigned)(fnv(run_dir, strlen(run_dir)) & USERS));
	int r = execute_apart(program, listener, lock, uid);
	return r < 0 ? err_errno(e, r, "starting " PROGRAM) : 0;
}
