/* SPDX-License-Identifier: MIT */
#include "confine/own-status.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/fd.h"

static int take_line(const char *text, const char *label, uint64_t *ret)
{
	const char *at = strstr(text, label);

	if (!at)
		return -ENOENT;
	*ret = strtoull(at + strlen(label), NULL, 16);
	return 0;
}

int own_status_by_proc(struct own_status *ret)
{
	const struct {
		const char *label;
		uint64_t *value;
	} lines[] = {{"\nSigBlk:", &ret->blocked},
		     {"\nSigIgn:", &ret->ignored},
		     {"\nSigCgt:", &ret->caught},
		     {"\nCapBnd:", &ret->bounding}};
	CLEANUP_FD int fd = openat(AT_FDCWD, "/proc/self/status", O_RDONLY | O_CLOEXEC);
	char text[4096];
	struct statfs fs;
	ssize_t n = -1;
	int r = 0;

	if (fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC)
		n = read(fd, text, sizeof(text) - 1);
	if (n < 0 || n == (ssize_t)sizeof(text) - 1) /* many groups: perhaps not all of it */
		return -ENOENT;
	text[n] = '\0';
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(lines); i++)
		r = take_line(text, lines[i].label, lines[i].value);
	return r;
}

/* The handler is the first word of the kernel's structure, SIG_DFL 0 and SIG_IGN 1. By the calls
 * themselves: a C library tells nothing of the signals that it keeps for its threads. */
static int ask_signals(struct own_status *ret)
{
	unsigned long action[8];

	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &ret->blocked, _NSIG / 8) < 0)
		return -errno;
	for (int sig = 1; sig < _NSIG; sig++) {
		uint64_t bit = UINT64_C(1) << (sig - 1);
		if (syscall(SYS_rt_sigaction, sig, NULL, action, _NSIG / 8) < 0)
			return -errno;
		ret->ignored |= action[0] == 1 ? bit : 0;
		ret->caught |= action[0] > 1 ? bit : 0;
	}
	return 0;
}

int own_status_by_calls(struct own_status *ret)
{
	*ret = (struct own_status){0};
	int r = ask_signals(ret);
	for (int cap = 0; r == 0 && cap < 64; cap++) {
		int there = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		if (there < 0) /* beyond the last that the kernel knows */
			break;
		ret->bounding |= (uint64_t)there << cap;
	}
	return r;
}

int own_status(struct own_status *ret)
{
	return own_status_by_proc(ret) == 0 ? 0 : own_status_by_calls(ret);
}
