/* SPDX-License-Identifier: MIT */
#include "fs/lock.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "fs-scratch.h"

/* A child that holds the lock until it is killed. */
static pid_t hold(int fd, const char *name)
{
	int ready[2];
	char byte;

	CHECK_INT(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (lock_wait(fd, name, NULL) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	CHECK_INT(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_try(int fd)
{
	struct err e = {0};
	char want[64];
	int lock = lock_try(fd, "a", &e);

	CHECK(lock >= 0);
	CHECK(fcntl(lock, F_GETFD) & FD_CLOEXEC);
	CHECK_INT(lock_try(fd, "a", &e), -EBUSY); /* ourselves count */
	snprintf(want, sizeof(want), "a is held by pid %d", getpid());
	CHECK_STR(e.msg, want);
	int other = lock_try(fd, "b", &e);
	CHECK(other >= 0);
	close(other);
	close(lock);
	lock = lock_try(fd, "a", &e);
	CHECK(lock >= 0);
	close(lock);
}

static void test_held(int fd)
{
	struct err e = {0};
	char want[64];
	pid_t pid = hold(fd, "a");

	CHECK_INT(lock_try(fd, "a", &e), -EBUSY);
	snprintf(want, sizeof(want), "a is held by pid %d", pid);
	CHECK_STR(e.msg, want);
	CHECK_INT(lock_try(fd, "a", NULL), -EBUSY);
	end(pid); /* the lock dies with it, whatever the file says */
	int lock = lock_try(fd, "a", &e);
	CHECK(lock >= 0);

	/* Nothing readable in it. */
	CHECK_INT(ftruncate(lock, 0), 0);
	CHECK_INT(lock_try(fd, "a", &e), -EBUSY);
	CHECK_STR(e.msg, "a is held by another process");
	CHECK_INT(pwrite(lock, "-5 99999999999", 14, 0), 14);
	CHECK_INT(lock_try(fd, "a", &e), -EBUSY);
	CHECK_STR(e.msg, "a is held by another process");
	close(lock);
}

static void nothing(int sig)
{
	(void)sig;
}

static void test_wait(int fd)
{
	pid_t holder = hold(fd, "a"), killer = fork();

	if (killer == 0) {
		usleep(50000);
		kill(holder, SIGKILL);
		_exit(0);
	}
	int lock = lock_wait(fd, "a", NULL); /* until the holder dies */
	CHECK(lock >= 0);
	close(lock);
	waitpid(holder, NULL, 0);
	waitpid(killer, NULL, 0);

	holder = hold(fd, "a");
	sigaction(SIGALRM, &(struct sigaction){.sa_handler = nothing}, NULL);
	alarm(1);
	CHECK_INT(lock_wait(fd, "a", NULL), -EINTR);
	end(holder);
}

/* The holder removes or replaces the file before it lets go: the waiter locks the new one. */
static void test_replaced(int fd, bool put_new)
{
	struct stat ours, named;
	int lock = lock_try(fd, "a", NULL);
	pid_t pid = fork();

	CHECK(lock >= 0);
	if (pid == 0) {
		close(lock);
		lock = lock_wait(fd, "a", NULL);
		bool good = lock >= 0 && fstat(lock, &ours) == 0 &&
			    fstatat(fd, "a", &named, 0) == 0 && ours.st_ino == named.st_ino &&
			    lock_try(fd, "a", NULL) == -EBUSY;
		_exit(good ? 0 : 1);
	}
	usleep(100000); /* it waits now */
	if (put_new) {
		put_file(fd, "new", "");
		CHECK_INT(renameat(fd, "new", fd, "a"), 0);
	} else {
		CHECK_INT(unlinkat(fd, "a", 0), 0);
	}
	close(lock);
	int status = 1;
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0);
}

static void test_bad(int fd)
{
	struct err e = {0};

	CHECK_INT(lock_try(fd, "a/b", &e), -EINVAL);
	CHECK(strstr(e.msg, "a/b"));
	CHECK_INT(lock_try(fd, "..", &e), -EINVAL);
	put_file(fd, "target", "x");
	CHECK_INT(symlinkat("target", fd, "link"), 0);
	CHECK_INT(lock_try(fd, "link", &e), -ELOOP);
	CHECK_INT(mkfifoat(fd, "fifo", 0600), 0);
	CHECK_INT(lock_try(fd, "fifo", &e), -EINVAL);
	CHECK_INT(mkdirat(fd, "dir", 0700), 0);
	CHECK_INT(lock_try(fd, "dir", &e), -EISDIR);
	CHECK_INT(lock_try(-1, "x", &e), -EBADF);
}

/* Many at once: never two holders. */
static void test_contended(int fd)
{
	int bad = 0;

	for (int i = 0; i < 8; i++)
		if (fork() == 0) {
			for (int n = 0; n < 100; n++) {
				int lock = lock_wait(fd, "a", NULL);
				if (lock < 0 || mkdirat(fd, "alone", 0700) < 0 ||
				    unlinkat(fd, "alone", AT_REMOVEDIR) < 0)
					_exit(1);
				if (n % 10 == 0)
					unlinkat(fd, "a", 0);
				close(lock);
			}
			_exit(0);
		}
	for (int status; wait(&status) > 0;)
		bad += status != 0;
	CHECK_INT(bad, 0);
}

int main(void)
{
	struct scratch s = scratch_new();
	int fds = count_fds();

	test_try(s.fd);
	test_held(s.fd);
	test_wait(s.fd);
	test_replaced(s.fd, false);
	test_replaced(s.fd, true);
	test_bad(s.fd);
	test_contended(s.fd);
	CHECK_INT(count_fds(), fds);
	scratch_done(&s);
	return check_done("lock");
}
