/* SPDX-License-Identifier: MIT */
#include "fs/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

int lease_try(int fd, int kind)
{
	/* Not SIGIO, which ends a process that does not expect it. */
	if (fcntl(fd, F_SETSIG, SIGURG) < 0 || fcntl(fd, F_SETLEASE, kind) < 0)
		return -errno;
	fcntl(fd, F_SETLEASE, F_UNLCK);
	return 0;
}
