/* SPDX-License-Identifier: MIT */
#include "fs/newer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/fnv.h"
#include "fs/dir.h"

#define LOOK_DEPTH 8

static bool any_newer(int dir, const struct timespec *than, int depth, size_t *left)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	struct stat st;
	bool found = fstat(dir, &st) == 0 && clock_before(than, &st.st_ctim);

	if (found || dir_names(dir, &names) < 0)
		return found;
	for (size_t i = 0; i < names.n && *left && !found; i++, --*left) {
		if (fstatat(dir, names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		found = clock_before(than, &st.st_ctim);
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

static bool is_skipped(const struct newer_look *look, const struct stat *st)
{
	for (size_t i = 0; S_ISDIR(st->st_mode) && i < look->n_skip; i++)
		if (look->skip[i].dev == st->st_dev && look->skip[i].ino == st->st_ino)
			return true;
	return false;
}

/* 1 where what is in it counts for nothing. */
static int print_one(const char *name, const struct stat *st, const struct newer_look *look,
		     uint64_t *ret)
{
	struct face f = {.dev = st->st_dev,
			 .ino = st->st_ino,
			 .mode = st->st_mode & S_IFMT,
			 .name = fnv(name, strlen(name))};
	bool skipped = is_skipped(look, st);

	if (!skipped) {
		if (look->before && !clock_before(&st->st_ctim, look->before))
			return -ESTALE;
		f.mode = st->st_mode;
		f.size = (uint64_t)st->st_size;
		f.changed = st->st_ctim.tv_sec;
		f.changed_ns = st->st_ctim.tv_nsec;
	}
	const uint64_t chain[2] = {*ret, fnv(&f, sizeof(f))};
	*ret = fnv(chain, sizeof(chain));
	return skipped;
}

static int print_below(int dir, int depth, struct newer_look *look, uint64_t *ret);

static int print_entry(int dir, const char *name, int depth, struct newer_look *look, uint64_t *ret)
{
	struct stat st;
	int r = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno
								 : print_one(name, &st, look, ret);

	if (r != 0 || !S_ISDIR(st.st_mode))
		return r < 0 ? r : 0;
	CLEANUP_FD int sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0)
		return -errno;
	return depth ? print_below(sub, depth - 1, look, ret) : -E2BIG;
}

static int print_below(int dir, int depth, struct newer_look *look, uint64_t *ret)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	int r = dir_names(dir, &names);

	if (r == 0 && names.n > look->left)
		return -E2BIG;
	look->left -= r == 0 ? names.n : 0;
	for (size_t i = 0; i < names.n && r == 0; i++)
		r = print_entry(dir, names.v[i], depth, look, ret);
	return r;
}

int newer_print(int dir, struct newer_look *look, uint64_t *ret)
{
	struct newer_look plain = {.before = look->before}; /* the directory itself is looked at */
	struct stat st;

	*ret = 0;
	int r = fstat(dir, &st) < 0 ? -errno : print_one(".", &st, &plain, ret);
	return r < 0 ? r : print_below(dir, LOOK_DEPTH, look, ret);
}
