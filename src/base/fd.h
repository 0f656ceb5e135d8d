/* SPDX-License-Identifier: MIT */
/* File descriptors: -1 means none, every one is O_CLOEXEC, CLEANUP_FD closes at the end of scope.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/attr.h"

static inline void fd_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define CLEANUP_FD CLEANUP(fd_closep)

/* The descriptor in *fd, which becomes -1: whoever calls owns it now. */
static inline int take_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

/* Closes *fd where it is open and sets it to -1. */
void fd_close(int *fd);

/* Whether there is something to read now, or its end; of a pidfd: its process has ended. */
bool fd_readable(int fd);

/* Writes all of @len bytes, through interrupted and short writes. Returns 0 or -errno. */
int fd_write_all(int fd, const void *buf, size_t len);

/* Reads up to @max bytes until end of file into a new NUL-terminated buffer, the caller's to free.
 * Returns 0, -EFBIG where there is more, or -errno. @ret_len may be NULL. */
int fd_read_all(int fd, size_t max, char **ret_buf, size_t *ret_len);

/* A memory file with these bytes, sealed: nobody can change it any more. Its descriptor, or -errno.
 */
int fd_memory(const char *name, const void *buf, size_t len);

/* Sends descriptor @fd with one byte over the unix socket @sock; receives one (O_CLOEXEC).
 * Both return 0 or -errno; -EPIPE where the other side went away without sending. */
int fd_send(int sock, int fd);
int fd_receive(int sock, int *ret_fd);
