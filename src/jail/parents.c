/* SPDX-License-Identifier: MIT */
#include "jail/parents.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/path.h"

static bool is_loose(const struct stat *st)
{
	return st->st_uid != 0 || (st->st_mode & S_IWGRP && st->st_gid != 0) ||
	       (st->st_mode & S_IWOTH && !(st->st_mode & S_ISVTX));
}

void parents_loose(const char *dir, struct strv *ret)
{
	char *path = realpath(dir, NULL);
	struct stat st;

	for (bool more = path != NULL; more;) {
		if (stat(path, &st) < 0 || is_loose(&st))
			strv_take(ret, xasprintf("%s, above the jail, can be changed by others "
						 "than root (owner %u:%u, mode %04o)",
						 path, st.st_uid, st.st_gid, st.st_mode & 07777));
		more = path[1] != '\0';
		char *up = path_parent(path);
		free(path);
		path = up;
	}
	free(path);
}
