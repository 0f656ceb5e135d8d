/* SPDX-License-Identifier: MIT */
#include "jail/pid-files.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "host/places.h"
#include "keep/pid-file.h"

void pid_files_find(const struct record *record, int root, const struct run *r, struct strv *ret)
{
	struct stat st;

	for (const struct touch *t = record->touches; t; t = t->hh.next) {
		/* One that is made aside and renamed is only made. */
		if (!(t->kinds & (TOUCH_WRITE | TOUCH_MAKE)) || place_kernel_tree(t->path) ||
		    strv_has(ret, t->path))
			continue;
		pid_t said = pid_file_read(root, t->path, &st);
		if (pid_file_outside(r, said))
			strv_add(ret, t->path);
	}
}

pid_t pid_files_number(const char *path, const struct run *r, pid_t *ret_inside)
{
	CLEANUP_FD int root = run_root(r);
	struct stat st;

	*ret_inside = root < 0 ? 0 : pid_file_read(root, path, &st);
	return pid_file_outside(r, *ret_inside);
}

const char *pid_files_wrong(const struct strv *files, const struct run *r)
{
	for (size_t i = 0; i < files->n; i++) {
		pid_t inside, outside = pid_files_number(files->v[i], r, &inside);
		if (outside && outside != inside)
			return files->v[i];
	}
	return NULL;
}

/* Right in /run, where the jail has memory of its own. */
static bool is_private(const char *path, const struct layout *l)
{
	CLEANUP_STR char *up = path_parent(path);
	return streq(up, "/run") && !layout_find(l, path);
}

void pid_files_private(const struct strv *files, const struct layout *l, struct strv *ret)
{
	for (size_t i = 0; i < files->n; i++)
		if (is_private(files->v[i], l))
			strv_add(ret, path_base(files->v[i]));
}
