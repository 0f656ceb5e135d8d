/* SPDX-License-Identifier: MIT */
#include "jail/lay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "confine/device.h"
#include "fs/beneath.h"
#include "fs/copy.h"

int lay_open(struct lay *l, int source, const char *tree, struct err *e)
{
	struct meta m CLEANUP_META = META_INIT;

	*l = (struct lay){.source = source};
	l->tree = open(tree, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = l->tree < 0 ? -errno : meta_read(source, &m);
	if (r == 0)
		r = meta_apply(AT_FDCWD, tree, &m);
	if (r < 0) {
		fd_close(&l->tree);
		return err_errno(e, r, "preparing %s", tree);
	}
	strv_add(&l->directories, "/");
	return 0;
}

static int lay_node(struct lay *l, int src, const char *path, bool withheld)
{
	struct meta m CLEANUP_META = META_INIT;
	CLEANUP_STR char *up = path_parent(path);
	const char *name = path_base(path);
	CLEANUP_FD int parent = beneath_open_nolink(l->tree, up, O_PATH | O_DIRECTORY, 0);

	int r = parent < 0 ? parent : meta_read(src, &m);
	if (r < 0)
		return r;
	if (S_ISCHR(m.st.st_mode) || S_ISBLK(m.st.st_mode)) {
		r = device_copy(&m.st, parent, name);
		return r == -EPERM ? 1 : r;
	}
	if (withheld && S_ISREG(m.st.st_mode))
		return copy_placeholder(&m, parent, name);
	bool shared = S_ISREG(m.st.st_mode) && m.st.st_nlink > 1;
	const char *first = shared ? inodes_find(l->inodes, &m.st) : NULL;
	if (first && inodes_link(l->tree, first, parent, name) == 0)
		return 0;
	r = copy_node(src, &m, parent, name);
	if (r < 0)
		return r;
	if (S_ISDIR(m.st.st_mode) && r == 0)
		strv_add(&l->directories, path);
	if (shared && !first)
		inodes_add(&l->inodes, &m.st, path);
	return 0;
}

/* A file that grows meanwhile (a log) is tried again, a few times. */
#define COPY_TRIES 5

static int lay_patiently(struct lay *l, int src, const char *path, bool withheld)
{
	int r = -ESTALE;

	for (int i = 0; i < COPY_TRIES && r == -ESTALE; i++)
		r = lay_node(l, src, path, withheld);
	return r;
}

static int lay_parents(struct lay *l, const char *path, struct err *e)
{
	struct stat st;
	CLEANUP_STR char *up = path_parent(path);

	if (beneath_lstat(l->tree, up, &st) == 0)
		return 0;
	return lay_path(l, up, e);
}

static int lay_one(struct lay *l, const char *path, bool withheld, struct err *e)
{
	struct stat st;

	if (streq(path, "/") || beneath_lstat(l->tree, path, &st) == 0)
		return 0;
	CLEANUP_FD int src = beneath_open_nolink(l->source, path, O_PATH | O_NOFOLLOW, 0);
	if (src == -ENOENT || src == -ENOTDIR || src == -ELOOP)
		return 1;
	int r = src < 0 ? src : lay_parents(l, path, e);
	if (r == 0)
		r = lay_patiently(l, src, path, withheld);
	return r < 0 ? err_errno(e, r, "copying %s into the jail", path) : r;
}

int lay_path(struct lay *l, const char *path, struct err *e)
{
	return lay_one(l, path, false, e);
}

int lay_withheld(struct lay *l, const char *path, struct err *e)
{
	return lay_one(l, path, true, e);
}

int lay_point(struct lay *l, const char *path, bool file, struct err *e)
{
	struct stat st;
	const char *name;

	if (beneath_lstat(l->tree, path, &st) == 0)
		return 0;
	CLEANUP_STR char *up = path_parent(path);
	bool empty = file || (beneath_lstat(l->source, path, &st) == 0 && S_ISLNK(st.st_mode));
	int r = empty ? lay_parents(l, path, e) : lay_path(l, path, e);
	if (r == 0 && !empty)
		return 0;
	if (r >= 0)
		r = beneath_mkdirs(l->tree, up, 0755);
	if (r < 0)
		return err_errno(e, r, "making a mount point at %s", path);
	CLEANUP_FD int parent = beneath_parent(l->tree, path, &name);
	if (parent < 0)
		return err_errno(e, parent, "making a mount point at %s", path);
	r = file ? mknodat(parent, name, S_IFREG | 0644, 0) : mkdirat(parent, name, 0755);
	return r < 0 && errno != EEXIST ? err_errno(e, -errno, "making a mount point at %s", path)
					: 0;
}

void lay_times(const struct lay *l)
{
	for (size_t k = l->directories.n; k-- > 0;) {
		const char *path = l->directories.v[k];
		struct meta m CLEANUP_META = META_INIT;
		CLEANUP_FD int src = beneath_open_nolink(l->source, path, O_PATH, 0);
		CLEANUP_FD int dst = beneath_open_nolink(l->tree, path, O_PATH | O_DIRECTORY, 0);
		if (src < 0 || dst < 0 || meta_read(src, &m) < 0)
			continue;
		const struct timespec times[2] = {m.st.st_atim, m.st.st_mtim};
		utimensat(dst, "", times, AT_EMPTY_PATH);
	}
}

void lay_close(struct lay *l)
{
	lay_times(l);
	inodes_free(&l->inodes);
	strv_done(&l->directories);
	fd_close(&l->tree);
}
