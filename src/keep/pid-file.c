/* SPDX-License-Identifier: MIT */
#include "keep/pid-file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "base/str.h"
#include "fs/beneath.h"

/* A pid file may say more than the number (postmaster.pid has eight lines). */
#define FILE_BYTES 4096
#define HEAD_BYTES 32

pid_t pid_file_parse(const char *bytes, size_t len)
{
	long n = 0;
	size_t i = 0;

	while (i < len && (bytes[i] == ' ' || bytes[i] == '\t'))
		i++;
	size_t from = i;
	for (; i < len && i - from < 9 && bytes[i] >= '0' && bytes[i] <= '9'; i++)
		n = 10 * n + (bytes[i] - '0');
	return i == len || strchr(" \t\r\n", bytes[i]) ? (pid_t)n : 0;
}

pid_t pid_file_read(int root, const char *path, struct stat *ret)
{
	char head[HEAD_BYTES];
	CLEANUP_FD int fd =
	    beneath_open_nolink(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW, 0);

	if (fd < 0 || fstat(fd, ret) < 0 || !S_ISREG(ret->st_mode) || ret->st_size > FILE_BYTES)
		return 0;
	ssize_t n = pread(fd, head, sizeof(head), 0);
	return n > 0 ? pid_file_parse(head, (size_t)n) : 0;
}

pid_t pid_file_outside(const struct run *r, pid_t inside)
{
	struct pid_list pids CLEANUP_PIDS = {0};

	if (inside > 0)
		run_pids(r, &pids);
	for (size_t i = 0; i < pids.n; i++)
		if (run_pid_inside(pids.v[i]) == inside)
			return pids.v[i];
	return 0;
}

/* The first process has ended well, or the one that is followed has. */
static bool may_follow(const struct run *r)
{
	return r->main_exited && (r->main_fd >= 0 || r->main_status == 0);
}

bool pid_file_follow(struct run *r, const char *path)
{
	const char *below = str_after(path, "/var/run/"); /* a link to /run everywhere */
	CLEANUP_STR char *real = below ? xasprintf("/run/%s", below) : xstrdup(path);
	struct stat st;

	if (!may_follow(r))
		return false;
	CLEANUP_FD int root = run_root(r);
	pid_t inside = root < 0 ? 0 : pid_file_read(root, real, &st);
	pid_t outside = pid_file_outside(r, inside);
	CLEANUP_FD int fd = outside ? pidfd_open(outside, 0) : -1;
	/* Looked up once more: the descriptor may be of a process that got the number since. */
	if (fd < 0 || pid_file_outside(r, inside) != outside || fd_readable(fd))
		return false;
	run_follow(r, outside, inside, take_fd(&fd));
	return true;
}

bool pid_file_guess(struct run *r)
{
	pid_t pid = may_follow(r) ? run_first_child(r->init) : 0;
	CLEANUP_FD int fd = pid > 0 ? pidfd_open(pid, 0) : -1;

	if (fd < 0 || run_first_child(r->init) != pid || fd_readable(fd))
		return false;
	run_follow(r, pid, run_pid_inside(pid), take_fd(&fd));
	return true;
}
