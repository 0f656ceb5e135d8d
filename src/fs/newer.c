/* SPDX-License-Identifier: MIT */
#include "fs/newer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/fnv.h"
#include "fs/dir.h"

#define LOOK_DEPTH 8

static bool is_newer(const struct timespec *a, const struct timespec *than)
{
	return a->tv_sec > than->tv_sec ||
	       (a->tv_sec == than->tv_sec && a->tv_nsec > than->tv_nsec);
}

static bool any_newer(int dir, const struct timespec *than, int depth, size_t *left)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	struct stat st;
	bool found = fstat(dir, &st) == 0 && is_newer(&st.st_ctim, than);

	if (found || dir_names(dir, &names) < 0)
		return found;
	for (size_t i = 0; i < names.n && *left && !found; i++, --*left) {
		if (fstatat(dir, names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		found = is_newer(&st.st_ctim, than);
		if (found || !S_ISDIR(st.st_mode) || !depth)
			continue;
		CLEANUP_FD int sub =
		    openat(dir, names.v[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		found = sub >= 0 && any_newer(sub, than, depth - 1, left);
	}
	return found;
}

bool newer_below(int dir, const struct timespec *than, size_t *left)
{
	return any_newer(dir, than, LOOK_DEPTH, left);
}

/* What is mixed into the hash of one. */
struct face {
	uint64_t dev, ino, mode, size, name;
	int64_t changed, changed_ns;
};

static int print_one(const char *name, const struct stat *st, const struct timespec *before,
		     uint64_t *ret)
{
	struct face f = {.dev = st->st_dev,
			 .ino = st->st_ino,
			 .mode = st->st_mode,
			 .size = (uint64_t)st->st_size,
			 .name = fnv(name, strlen(name)),
			 .changed = st->st_ctim.tv_sec,
			 .changed_ns = st->st_ctim.tv_nsec};
	uint64_t chain[2] = {*ret, fnv(&f, sizeof(f))};

	if (before && !is_newer(before, &st->st_ctim))
		return -ESTALE;
	*ret = fnv(chain, sizeof(chain));
	return 0;
}

static int print_below(int dir, const struct timespec *before, int depth, size_t *left,
		       uint64_t *ret)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	struct stat st;
	int r = fstat(dir, &st) < 0 ? -errno : print_one(".", &st, before, ret);

	if (r == 0)
		r = dir_names(dir, &names);
	for (size_t i = 0; i < names.n && r == 0; i++, --*left) {
		if (!*left)
			return -E2BIG;
		r = fstatat(dir, names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0
			? -errno
			: print_one(names.v[i], &st, before, ret);
		if (r < 0 || !S_ISDIR(st.st_mode))
			continue;
		CLEANUP_FD int sub =
		    openat(dir, names.v[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = sub < 0 ? -errno
		    : depth ? print_below(sub, before, depth - 1, left, ret)
			    : -E2BIG;
	}
	return r;
}

int newer_print(int dir, const struct timespec *before, size_t *left, uint64_t *ret)
{
	*ret = 0;
	return print_below(dir, before, LOOK_DEPTH, left, ret);
}
