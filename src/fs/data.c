/* SPDX-License-Identifier: MIT */
#include "fs/data.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/fd.h"

#define BUFFER (64 << 10)

/* Up to this size one read and one write are cheaper than the kernel's own copying. */
#define BY_HAND_MAX (64 << 10)

/* The pairs of file systems that said they cannot share blocks, the last few of them, so that they
 * are not asked for each file. By thread: nothing to lock. */
struct pair {
	dev_t in, out;
};
static _Thread_local struct pair unshared[4];
static _Thread_local unsigned unshared_next;

static bool is_unshared(struct pair p)
{
	for (size_t i = 0; i < ARRAY_LEN(unshared); i++)
		if (unshared[i].in == p.in && unshared[i].out == p.out)
			return true;
	return false;
}

static bool clone_file(int in, int out, const struct stat *st)
{
	struct stat to;

	if (fstat(out, &to) < 0)
		return false;
	struct pair p = {st->st_dev, to.st_dev};
	if (is_unshared(p))
		return false;
	if (ioctl(out, FICLONE, in) == 0)
		return true;
	if (errno == EOPNOTSUPP || errno == EXDEV || errno == ENOTTY)
		unshared[unshared_next++ % ARRAY_LEN(unshared)] = p;
	return false;
}

static ssize_t copy_some_by_hand(int in, int out, size_t len)
{
	char buf[BUFFER];
	ssize_t n;

	do
		n = read(in, buf, len < sizeof(buf) ? len : sizeof(buf));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	int r = fd_write_all(out, buf, (size_t)n);
	return r < 0 ? r : n;
}

/* copy_file_range(2), or 0 where reading and writing has to do it. Between some file systems it is
 * not possible, from pseudo files it copies nothing and calls that a success; what is wrong beyond
 * this, reading and writing will find out and tell. */
static ssize_t copy_some_by_kernel(int in, int out, size_t len)
{
	ssize_t n = copy_file_range(in, NULL, out, NULL, len, 0);
	return n < 0 ? 0 : n;
}

/* Copies @len bytes from where both files stand. Returns 0, 1 where @in ended before, or -errno. */
static int copy_span(int in, int out, size_t len)
{
	bool by_kernel = len > BY_HAND_MAX;

	while (len) {
		ssize_t n = by_kernel ? copy_some_by_kernel(in, out, len) : 0;
		if (n == 0) {
			by_kernel = false;
			n = copy_some_by_hand(in, out, len);
		}
		if (n <= 0)
			return n < 0 ? (int)n : 1;
		len -= (size_t)n;
	}
	return 0;
}

static int copy_whole(int in, int out, off_t size)
{
	int r = copy_span(in, out, (size_t)size);
	return r < 0 ? r : 0;
}

/* Copies what SEEK_DATA finds, and ends @out with the hole that may be left. */
static int copy_extents(int in, int out, off_t size)
{
	off_t hole = 0;

	while (hole < size) {
		off_t data = lseek(in, hole, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;
		if (data < 0 && errno == EINVAL && hole == 0)
			return copy_whole(in, out, size);
		if (data < 0)
			return -errno;
		hole = lseek(in, data, SEEK_HOLE);
		if (hole > size)
			hole = size;
		if (hole < 0 || lseek(in, data, SEEK_SET) < 0 || lseek(out, data, SEEK_SET) < 0)
			return -errno;
		if (data >= hole)
			break;
		int r = copy_span(in, out, (size_t)(hole - data));
		if (r)
			return r < 0 ? r : 0;
	}
	return ftruncate(out, size) < 0 ? -errno : 0;
}

static int copy_pseudo(int in, int out)
{
	int r = copy_span(in, out, DATA_PSEUDO_MAX);
	return r < 0 ? r : r == 1 ? 0 : -EFBIG;
}

static int copy_bytes(int in, int out, const struct stat *st)
{
	if (st->st_size == 0)
		return copy_pseudo(in, out);
	if (clone_file(in, out, st))
		return 0;
	bool holes = (off_t)st->st_blocks * 512 < st->st_size;
	return (holes ? copy_extents : copy_whole)(in, out, st->st_size);
}

int data_copy(int in, int out, const struct stat *st)
{
	struct stat now;
	int r = copy_bytes(in, out, st);

	if (r < 0)
		return r;
	if (fstat(in, &now) < 0)
		return -errno;
	/* One that has grown (a log) is what it was when we looked; a shorter one is no longer
	 * that. */
	return now.st_size >= st->st_size ? 0 : -ESTALE;
}
