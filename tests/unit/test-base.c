/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/str.h"
#include "check.h"

static void test_within(void)
{
	static const struct {
		const char *path, *dir;
		bool want;
	} rows[] = {
	    {"/", "/", true},	      {"/a", "/", true},	{"/a", "/a", true},
	    {"/a/b", "/a", true},     {"/ab", "/a", false},	{"/a", "/a/b", false},
	    {"/a/b", "/a/", true},    {"/a", "/a/", true},	{"/ab", "/a/", false},
	    {"/etc/x", "/etc", true}, {"/etcx", "/etc", false}, {"/", "/a", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_INT(path_within(rows[i].path, rows[i].dir), rows[i].want);
}

/* Both names are new strings; @got is freed. */
static void check_owned(char *got, const char *want)
{
	CHECK_STR(got, want);
	free(got);
}

static void test_normal(void)
{
	static const char *const rows[][2] = {
	    {"/", "/"},
	    {"", "/"},
	    {"a", "/a"},
	    {"/a/", "/a"},
	    {"//a///b//", "/a/b"},
	    {"/a/./b/.", "/a/b"},
	    {"/a/../b", "/b"},
	    {"/a/b/../..", "/"},
	    {"/../../a", "/a"},
	    {"../a", "/a"},
	    {"/a/...", "/a/..."},
	    {"/a/..b/.c", "/a/..b/.c"},
	    {"/abc/de/../f", "/abc/f"},
	    {".", "/"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_owned(path_normal(rows[i][0]), rows[i][1]);
}

static void test_paths(void)
{
	check_owned(path_join("/a", "b"), "/a/b");
	check_owned(path_join("/", "b"), "/b");
	check_owned(path_join("/a/", "b/c"), "/a/b/c");
	check_owned(path_join("/a", "/b"), "/a/b");
	check_owned(path_join("/", "/b"), "/b");
	check_owned(path_parent("/a/b"), "/a");
	check_owned(path_parent("/a"), "/");
	check_owned(path_parent("/"), "/");
	CHECK_STR(path_base("/a/bc"), "bc");
	CHECK_STR(path_base("bc"), "bc");
	CHECK_STR(path_base("/"), "");
	CHECK_INT(path_depth("/"), 0);
	CHECK_INT(path_depth("/a"), 1);
	CHECK_INT(path_depth("/a/b"), 2);
	CHECK_INT(path_depth("/a//b/"), 2);
	check_owned(path_common("/a/b/c", "/a/b/d"), "/a/b");
	check_owned(path_common("/a/b", "/a/b/d"), "/a/b");
	check_owned(path_common("/a/b/c", "/a/b"), "/a/b");
	check_owned(path_common("/ab", "/ac"), "/");
	check_owned(path_common("/", "/a"), "/");
	CHECK_STR(path_relative("/a/b"), "a/b");
	CHECK_STR(path_relative("//a"), "a");
	CHECK_STR(path_relative("/"), ".");
	CHECK_STR(path_relative(""), ".");
}

static void test_strv(void)
{
	CLEANUP_STRV struct strv sv = STRV_INIT, copy = STRV_INIT;
	char name[16];

	strv_sort_unique(&sv);
	CHECK(!strv_has(&sv, "x"));
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "%d", (i * 7) % 100);
		strv_add(&sv, name);
		CHECK(sv.v[sv.n] == NULL);
	}
	CHECK_INT(sv.n, 1000);
	strv_sort_unique(&sv);
	CHECK_INT(sv.n, 100);
	CHECK(sv.v[100] == NULL && streq(sv.v[0], "0") && streq(sv.v[99], "99"));
	for (size_t i = 1; i < sv.n; i++)
		CHECK(strcmp(sv.v[i - 1], sv.v[i]) < 0);
	CHECK(strv_has(&sv, "42") && !strv_has(&sv, "100"));
	for (int i = 0; i < 200; i++) /* it grows again after it has shrunk */
		strv_take(&sv, xasprintf("n%d", i));
	CHECK_INT(sv.n, 300);
	strv_add_all(&copy, &sv);
	CHECK_INT(copy.n, 300);
	strv_add_all(&copy, &copy);
	CHECK(copy.n == 600 && streq(copy.v[599], "n199") && copy.v[600] == NULL);
	strv_add(&copy, copy.v[0]);
	CHECK_STR(copy.v[600], "0");
	strv_done(&copy);
	CHECK(copy.n == 0 && copy.v == NULL);
}

static void test_str(void)
{
	char all[256], utf8[] = "gr\xc3\xbc\xc3\x9f", escape[] = "a\033[31mb\n\177";

	CHECK_STR(str_after("--name=x", "--name="), "x");
	CHECK(str_after("--nam", "--name=") == NULL);
	CHECK_STR(str_after("x", ""), "x");
	CHECK_STR(str_printable(escape), "a?[31mb??");
	CHECK_STR(str_printable(utf8), "gr????");
	for (int i = 0; i < 255; i++)
		all[i] = (char)(i + 1);
	all[255] = '\0';
	str_printable(all);
	CHECK_INT(strlen(all), 255);
	for (int i = 0; i < 255; i++)
		CHECK(all[i] >= ' ' && all[i] <= '~');
}

static void test_err(void)
{
	struct err e = {0};
	char huge[3000];

	CHECK_INT(err_set(&e, -EACCES, "%s: line %d", "spec", 3), -EACCES);
	CHECK_INT(e.code, -EACCES);
	CHECK_STR(e.msg, "spec: line 3");
	CHECK_INT(err_prefix(&e, "jail %s", "www"), -EACCES);
	CHECK_STR(e.msg, "jail www: spec: line 3");
	CHECK_INT(err_errno(&e, -ENOENT, "%s", "/x"), -ENOENT);
	CHECK_STR(e.msg, "/x: No such file or directory");
	CHECK_INT(err_set(NULL, -EPERM, "x"), -EPERM);
	CHECK_INT(err_errno(NULL, -EPERM, "x"), -EPERM);
	CHECK(err_prefix(NULL, "x") < 0);
	struct err none = {0};
	CHECK(err_prefix(&none, "x") < 0); /* never a success */
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	err_errno(&e, -ENOENT, "%s", huge);
	CHECK_INT(strlen(e.msg), sizeof(e.msg) - 1);
	err_prefix(&e, "%s", huge);
	CHECK_INT(strlen(e.msg), sizeof(e.msg) - 1);
}

static void test_read_all(void)
{
	static const size_t sizes[] = {0, 1, 4094, 4095, 4096, 4097, 100000};
	static char data[100000];
	size_t len;
	char *got;

	memset(data, 'd', sizeof(data));
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		CLEANUP_FD int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		CHECK_INT(fd_write_all(fd, data, sizes[i]), 0);
		CHECK_INT(lseek(fd, 0, SEEK_SET), 0);
		CHECK_INT(fd_read_all(fd, sizes[i], &got, &len), 0);
		CHECK(len == sizes[i] && strlen(got) == len);
		free(got);
		CHECK_INT(lseek(fd, 0, SEEK_SET), 0);
		if (sizes[i])
			CHECK_INT(fd_read_all(fd, sizes[i] - 1, &got, NULL), -EFBIG);
	}
	CHECK_INT(fd_read_all(-1, 10, &got, NULL), -EBADF);
	CLEANUP_FD int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	CHECK_INT(fd_write_all(full, "x", 1), -ENOSPC);
	CHECK_INT(fd_write_all(full, "x", 0), 0);
}

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Two descriptors where one is expected, as a hostile peer may send. */
static void send_two(int sock, int fd)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	char byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.buf,
			     .msg_controllen = sizeof(control.buf)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int fds[2] = {fd, fd};

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	CHECK_INT(sendmsg(sock, &msg, MSG_NOSIGNAL), 1);
}

static void test_pass_fd(void)
{
	int pair[2], got = -1, before;
	struct stat a, b;

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	CLEANUP_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CHECK_INT(fd_send(pair[0], null), 0);
	CHECK_INT(fd_receive(pair[1], &got), 0);
	CHECK(fstat(got, &a) == 0 && fstat(null, &b) == 0 && a.st_rdev == b.st_rdev);
	CHECK(fcntl(got, F_GETFD) & FD_CLOEXEC);
	fd_close(&got);
	CHECK_INT(got, -1);
	fd_close(&got);
	CHECK_INT(fd_send(pair[0], -1), -EBADF);

	before = count_fds();
	send_two(pair[0], null);
	if (fd_receive(pair[1], &got) == 0)
		fd_close(&got);
	CHECK_INT(count_fds(), before); /* none is left over */
	CHECK_INT(write(pair[0], "x", 1), 1);
	CHECK_INT(fd_receive(pair[1], &got), -EPIPE);
	close(pair[0]);
	CHECK_INT(fd_receive(pair[1], &got), -EPIPE);
	CHECK_INT(fd_send(pair[1], null), -EPIPE); /* and no signal */
	close(pair[1]);
	CHECK_INT(got, -1);
}

static void test_cleanup(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), saved = fd;
	char *s = xstrdup("x"), *t = steal_ptr(s);

	CHECK(s == NULL && t);
	free(t);
	CHECK(take_fd(&fd) == saved && fd == -1);
	{
		CLEANUP_FD int scoped = saved;
		CHECK(scoped >= 0);
	}
	CHECK_INT(fcntl(saved, F_GETFD), -1);
	free(xcalloc(0, 0));
	free(xrealloc(NULL, 0, 0));
	check_owned(xstrndup("abcdef", 3), "abc");
}

/* What a jail named comes out harmless. */
static void test_log(void)
{
	char line[64] = "";
	int pipes[2], saved = dup(STDERR_FILENO);

	CHECK_INT(pipe(pipes), 0);
	dup2(pipes[1], STDERR_FILENO);
	log_debug("not shown");
	log_level = 1;
	log_debug("file %s", "a\033[2Jb");
	log_level = 0;
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(pipes[1]);
	CHECK(read(pipes[0], line, sizeof(line) - 1) > 0);
	close(pipes[0]);
	CHECK_STR(line, "immure: file a?[2Jb\n");
}

int main(void)
{
	test_within();
	test_normal();
	test_paths();
	test_strv();
	test_str();
	test_err();
	test_read_all();
	test_pass_fd();
	test_cleanup();
	test_log();
	return check_done("base");
}
