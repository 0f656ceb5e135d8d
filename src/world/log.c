/* SPDX-License-Identifier: MIT */
#include "world/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "fs/beneath.h"

/* The kernel tosses what a filter does not let through, and tells the sender that it was sent. */
int log_nowhere(void)
{
	struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	const struct sock_fprog program = {1, nothing};
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return -errno;
	return take_fd(&fd);
}

int log_place(int log, int root)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	CLEANUP_FD int dev = beneath_open_nolink(root, "/dev", O_PATH | O_DIRECTORY, 0);

	if (log < 0 || dev < 0)
		return log < 0 ? log : dev;
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/log", dev);
	if (bind(log, (const struct sockaddr *)&a, sizeof(a)) < 0)
		return -errno;
	return fchmodat(dev, "log", 0666, 0) < 0 ? -errno : 0;
}
