/* SPDX-License-Identifier: MIT */
#include "grow/tracee.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"

static ssize_t peek(pid_t tid, uint64_t addr, void *buf, size_t len)
{
	struct iovec local = {buf, len};
	struct iovec remote = {(void *)(uintptr_t)addr, len};
	ssize_t n = process_vm_readv(tid, &local, 1, &remote, 1, 0);

	return n < 0 ? -errno : n;
}

int tracee_string(pid_t tid, uint64_t addr, char *buf, size_t size)
{
	const size_t page = 4096;
	size_t len = 0;

	while (len < size) {
		size_t room = page - (addr + len) % page; /* the next page may be unreadable */
		if (room > size - len)
			room = size - len;
		/* Most paths are short: a first small read usually has it all. */
		if (len == 0 && room > 256)
			room = 256;
		ssize_t n = peek(tid, addr + len, buf + len, room);
		if (n <= 0)
			return n < 0 ? (int)n : -EFAULT;
		if (memchr(buf + len, '\0', (size_t)n))
			return 0;
		len += (size_t)n;
	}
	return -ENAMETOOLONG;
}

int tracee_bytes(pid_t tid, uint64_t addr, void *buf, size_t len)
{
	ssize_t n = peek(tid, addr, buf, len);
	return n == (ssize_t)len ? 0 : n < 0 ? (int)n : -EFAULT;
}

int tracee_link(pid_t tid, const char *name, char *buf, size_t size)
{
	static const char deleted[] = " (deleted)";
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", tid, name);
	ssize_t n = readlink(path, buf, size);
	if (n < 0)
		return -errno;
	if ((size_t)n >= size)
		return -ENAMETOOLONG;
	buf[n] = '\0';
	if (buf[0] != '/')
		return -ENOENT;
	size_t tail = sizeof(deleted) - 1;
	if ((size_t)n > tail && streq(buf + n - tail, deleted))
		return -ENOENT;
	return 0;
}

#define WORDS_MAX      1024
#define WORDS_SIZE_MAX (64 << 10)

/* The pointer at @addr: of a thread of the other width in our byte order, the low half. */
static int read_pointer(pid_t tid, uint64_t addr, unsigned width, uint64_t *ret)
{
	uint32_t narrow = 0;

	if (width == sizeof(*ret))
		return tracee_bytes(tid, addr, ret, sizeof(*ret));
	int r = tracee_bytes(tid, addr, &narrow, sizeof(narrow));
	*ret = narrow;
	return r;
}

static int read_words(pid_t tid, uint64_t addr, unsigned width, char *buf, struct strv *ret)
{
	size_t left = WORDS_SIZE_MAX;
	uint64_t at;

	for (size_t i = 0; i < WORDS_MAX; i++) {
		int r = read_pointer(tid, addr + i * width, width, &at);
		if (r < 0 || !at)
			return r;
		r = tracee_string(tid, at, buf, left);
		if (r < 0)
			return r;
		left -= strlen(buf);
		strv_add(ret, buf);
	}
	return -E2BIG;
}

int tracee_words(pid_t tid, uint64_t addr, unsigned width, struct strv *ret)
{
	CLEANUP_STR char *buf = xcalloc(1, WORDS_SIZE_MAX);
	int r = read_words(tid, addr, width, buf, ret);

	if (r < 0)
		strv_done(ret);
	return r;
}

int tracee_ids(pid_t tid, struct tracee_ids *ret)
{
	char path[64], line[256];
	unsigned *u = ret->uid, *g = ret->gid;
	int got = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	FILE *f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		got += sscanf(line, "Tgid: %d", &ret->process) == 1;
		got += sscanf(line, "Uid: %u %u %u %u", &u[0], &u[1], &u[2], &u[3]) == 4;
		got += sscanf(line, "Gid: %u %u %u %u", &g[0], &g[1], &g[2], &g[3]) == 4;
		got += sscanf(line, "CapEff: %" SCNx64, &ret->effective) == 1;
	}
	fclose(f);
	return got == 4 ? 0 : -ESRCH;
}

int tracee_descriptor(const struct tracee_ids *of, int fd)
{
	CLEANUP_FD int process = pidfd_open(of->process, 0);
	int copy = process < 0 ? -1 : pidfd_getfd(process, fd, 0);

	return copy < 0 ? -errno : copy;
}
