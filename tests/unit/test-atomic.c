/* SPDX-License-Identifier: MIT */
#include "fs/atomic.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "fs-scratch.h"

static void check_content(int fd, const char *name, const char *want)
{
	char *got = NULL;
	size_t len = 0;

	CHECK_INT(atomic_read(fd, name, 1000, &got, &len), 0);
	CHECK_STR(got, want);
	CHECK_INT(len, strlen(want));
	free(got);
}

static int count_entries(int fd)
{
	DIR *d = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY));
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void test_write(int fd)
{
	struct stat st;
	int path = openat(fd, ".", O_PATH | O_DIRECTORY);

	CHECK_INT(atomic_write(path, "file", "hello", 5, 0644), 0);
	check_content(path, "file", "hello");
	CHECK(fstatat(fd, "file", &st, 0) == 0 && (st.st_mode & 07777) == 0644);
	CHECK_INT(atomic_write(path, "file", "", 0, 0600), 0);
	check_content(path, "file", "");
	CHECK(fstatat(fd, "file", &st, 0) == 0 && (st.st_mode & 07777) == 0600);
	close(path);

	/* A link in the way is replaced, what it points at is not written to. */
	put_file(fd, "target", "target");
	CHECK_INT(symlinkat("target", fd, "link"), 0);
	CHECK_INT(atomic_write(fd, "link", "new", 3, 0600), 0);
	check_content(fd, "target", "target");
	check_content(fd, "link", "new");
	CHECK_INT(mkdirat(fd, "dir", 0755), 0);
	CHECK_INT(atomic_write(fd, "dir", "x", 1, 0600), -EISDIR);
	CHECK_INT(atomic_write(fd, "a/b", "x", 1, 0600), -EINVAL);
	CHECK_INT(atomic_write(-1, "file", "x", 1, 0600), -EBADF);
	CHECK_INT(count_entries(fd), 4);
}

static void test_read(int fd)
{
	char *got = NULL, big[5000];

	CHECK_INT(atomic_read(fd, "missing", 10, &got, NULL), -ENOENT);
	CHECK_INT(atomic_read(fd, "dir", 10, &got, NULL), -EINVAL);
	CHECK_INT(atomic_read(fd, "target", 5, &got, NULL), -EFBIG);
	CHECK_INT(atomic_read(fd, "..", 5, &got, NULL), -EINVAL);
	CHECK(got == NULL);
	CHECK_INT(atomic_read(fd, "target", 6, &got, NULL), 0);
	free(got);
	got = NULL;
	CHECK_INT(symlinkat("target", fd, "another"), 0);
	CHECK_INT(atomic_read(fd, "another", 100, &got, NULL), -ELOOP);
	CHECK_INT(mkfifoat(fd, "fifo", 0600), 0);
	alarm(10);
	CHECK_INT(atomic_read(fd, "fifo", 100, &got, NULL), -EINVAL);
	alarm(0);
	memset(big, 0, sizeof(big)); /* NULs are bytes as others */
	CHECK_INT(atomic_write(fd, "zeros", big, sizeof(big), 0600), 0);
	size_t len;
	CHECK_INT(atomic_read(fd, "zeros", sizeof(big), &got, &len), 0);
	CHECK_INT(len, sizeof(big));
	free(got);
}

/* A file too big to write: the old one is there, nothing else. */
static void test_failure(int fd)
{
	struct rlimit small = {1000, RLIM_INFINITY}, old;
	static char big[100000];
	int before = count_entries(fd);

	CHECK_INT(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &small), 0);
	CHECK_INT(atomic_write(fd, "target", big, sizeof(big), 0600), -EFBIG);
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &old), 0);
	check_content(fd, "target", "target");
	CHECK_INT(count_entries(fd), before);
}

/* Killed at any moment: the old bytes or the new ones. */
static void test_killed(int fd)
{
	int mixed = 0;

	for (int i = 0; i < 60; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			static char a[20000], b[20000];
			memset(a, 'a', sizeof(a));
			memset(b, 'b', sizeof(b));
			for (;;) {
				atomic_write(fd, "killed", a, sizeof(a), 0600);
				atomic_write(fd, "killed", b, sizeof(b), 0600);
			}
		}
		usleep((useconds_t)(i * 200));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		char *got = NULL;
		size_t len;
		if (atomic_read(fd, "killed", 100000, &got, &len) == 0)
			mixed += len != 20000 || got[0] != got[len / 2] || got[0] != got[len - 1];
		free(got);
	}
	CHECK_INT(mixed, 0);
}

int main(void)
{
	struct scratch s = scratch_new();
	int fds = count_fds();

	test_write(s.fd);
	test_read(s.fd);
	test_failure(s.fd);
	test_killed(s.fd);
	CHECK_INT(count_fds(), fds);
	scratch_done(&s);
	return check_done("atomic");
}
