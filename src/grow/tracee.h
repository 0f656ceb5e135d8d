/* SPDX-License-Identifier: MIT */
/* The thread whose call is being looked at: its memory and its /proc links.
 *
 * It is hostile and may be gone at any moment: every function answers a negative errno then, and
 * the caller lets the call go on. What is read here is never trusted, only looked up. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"

/* The NUL-terminated string at @addr, page by page; -ENAMETOOLONG where it does not fit. */
int tracee_string(pid_t tid, uint64_t addr, char *buf, size_t size);

/* @len bytes at @addr; fewer are -EFAULT. */
int tracee_bytes(pid_t tid, uint64_t addr, void *buf, size_t len);

/* The words of the vector of arguments at @addr, whose pointers have @width bytes: 4 or 8. At most
 * 1024 words and 64 KiB, else -E2BIG or -ENAMETOOLONG; @ret is empty after an error. */
int tracee_words(pid_t tid, uint64_t addr, unsigned width, struct strv *ret);

/* The link /proc/TID/@name ("cwd", "root", "exe", "fd/3") as text: a path as seen from the top of
 * the thread's mount namespace. -ENOENT where it is no path (a pipe, a deleted file). */
int tracee_link(pid_t tid, const char *name, char *buf, size_t size);

/* Whom it runs as, credentials(7): real, effective, saved and file-system ids. */
struct tracee_ids {
	pid_t process; /* its thread group */
	uid_t uid[4];
	gid_t gid[4];
	uint64_t effective; /* 1 << CAP_* */
};
int tracee_ids(pid_t tid, struct tracee_ids *ret);

/* A copy of its descriptor @fd, with no right to do anything to it that it would not notice; or
 * -errno.
 */
int tracee_descriptor(const struct tracee_ids *of, int fd);
