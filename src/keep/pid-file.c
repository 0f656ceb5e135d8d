/* SPDX-License-Identifier: MIT */
#include "keep/pid-file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
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
