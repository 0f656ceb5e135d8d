/* SPDX-License-Identifier: MIT */
#include "fs/newer.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "fs/dir.h"

#define LOOK_DEPTH 8

static bool is_newer(const struct stat *st, const struct timespec *than)
{
	return st->st_ctim.tv_sec > than->tv_sec ||
	       (st->st_ctim.tv_sec == than->tv_sec && st->st_ctim.tv_nsec > than->tv_nsec);
}

static bool any_newer(int dir, const struct timespec *than, int depth, size_t *left)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	struct stat st;
	bool found = fstat(dir, &st) == 0 && is_newer(&st, than);

	if (found || dir_names(dir, &names) < 0)
		return found;
	for (size_t i = 0; i < names.n && *left && !found; i++, --*left) {
		if (fstatat(dir, names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		found = is_newer(&st, than);
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
