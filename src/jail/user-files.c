/* SPDX-License-Identifier: MIT */
#include "jail/user-files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "fs/copy.h"
#include "fs/dir.h"
#include "host/host.h"
#include "host/places.h"

void user_files_done(struct user_files *u)
{
	for (size_t i = 0; i < u->n; i++) {
		free(u->v[i].from);
		free(u->v[i].path);
	}
	free(u->v);
	free(u->name);
	fd_close(&u->dir);
	*u = (struct user_files)USER_FILES_INIT;
}

/* Where it stands in the jail: /lib/x is /usr/lib/x where the host says so. */
static char *canonical(int host, const char *path)
{
	CLEANUP_STR char *up = path_parent(path);
	CLEANUP_STR char *end = NULL;

	return host_resolve(host, up, &end, NULL, NULL) == 0 ? path_join(end, path_base(path))
							     : xstrdup(path);
}

static bool is_taken(mode_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode);
}

static int list(struct user_files *u, int host, const char *path, struct err *e)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	CLEANUP_FD int fd = beneath_open_nolink(u->dir, path, O_RDONLY | O_DIRECTORY, 0);
	int r = fd < 0 ? fd : dir_names(fd, &names);

	if (r < 0)
		return err_errno(e, r, "reading %s%s", u->name, path);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		CLEANUP_STR char *child = path_join(path, names.v[i]);
		struct stat st;
		if (fstatat(fd, names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_errno(e, -errno, "looking at %s%s", u->name, child);
		if (!is_taken(st.st_mode) || u->n == USER_FILES_MAX)
			return err_set(e, -EINVAL,
				       "%s%s: only files, directories and links are taken, %d at "
				       "most",
				       u->name, child, USER_FILES_MAX);
		u->v = xrealloc(u->v, u->n + 1, sizeof(*u->v));
		u->v[u->n++] =
		    (struct user_file){.from = xstrdup(child), .path = canonical(host, child)};
		if (S_ISDIR(st.st_mode))
			r = list(u, host, child, e);
	}
	return r;
}

int user_files_open(const struct dirs *d, const char *name, struct user_files *ret, struct err *e)
{
	struct user_files u CLEANUP_USER_FILES = USER_FILES_INIT;
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	u.name = xasprintf("%s/%s.d/root", d->config, name);
	u.dir = open(u.name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = u.dir < 0 ? (errno == ENOENT ? 0 : err_errno(e, -errno, "opening %s", u.name))
			  : list(&u, host, "/", e);
	if (r < 0)
		return r;
	*ret = u;
	u = (struct user_files)USER_FILES_INIT;
	return 0;
}

static int put_one(const struct user_files *u, const struct user_file *f, int root)
{
	struct meta m CLEANUP_META = META_INIT;
	const char *name = path_base(f->path);
	CLEANUP_STR char *up = path_parent(f->path);
	CLEANUP_FD int src = beneath_open_nolink(u->dir, f->from, O_PATH | O_NOFOLLOW, 0);
	CLEANUP_FD int parent = beneath_open(root, up, O_PATH | O_DIRECTORY, 0);
	CLEANUP_FD int there = beneath_open(root, f->path, O_PATH | O_DIRECTORY, 0);

	if (src < 0 || parent < 0)
		return src < 0 ? src : parent;
	int r = meta_read(src, &m);
	if (r < 0 || (S_ISDIR(m.st.st_mode) && there >= 0))
		return r;
	/* A link is only made where there is nothing yet. */
	if (S_ISLNK(m.st.st_mode) && unlinkat(parent, name, 0) < 0 && errno != ENOENT)
		return -errno;
	r = copy_node(src, &m, parent, name);
	return r < 0 ? r : 0;
}

static int put(const struct user_files *u, size_t i, int root, struct err *e)
{
	int r = -ESTALE;

	for (int n = 0; n < 5 && r == -ESTALE; n++) /* it is being written */
		r = put_one(u, &u->v[i], root);
	return r < 0 ? err_errno(e, r, "putting %s%s into the jail", u->name, u->v[i].from) : 0;
}

int user_files_put(const struct user_files *u, int root, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < u->n; i++)
		r = put(u, i, root, e);
	return r;
}

static int refuse(const struct user_files *u, const struct user_file *f, const char *where,
		  struct err *e)
{
	return err_set(e, -EINVAL,
		       "%s%s cannot replace anything in the jail: %s is not of its own files there "
		       "but the host's, or memory; change it on the host",
		       u->name, f->from, where);
}

int user_files_lay(const struct user_files *u, struct lay *l, const struct layout *layout,
		   struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < u->n; i++) {
		const struct user_file *f = &u->v[i];
		const struct provision *p = layout_find(layout, f->path);
		CLEANUP_STR char *up = path_parent(f->path);
		if (p)
			return refuse(u, f, p->path, e);
		if (place_kernel_tree(f->path) || place_private_area(f->path))
			return refuse(u, f, f->path, e);
		r = lay_path(l, up, e);
		if (r >= 0)
			r = put(u, i, l->tree, e);
		strv_add(&l->directories, up);
	}
	return r;
}

/* A directory that the host has too is the host's. */
static bool is_ours(const struct user_file *f, const struct entry *en, int host)
{
	struct stat st;

	return en && streq(f->path, en->path) &&
	       !(S_ISDIR(en->mode) && beneath_lstat(host, en->path, &st) == 0);
}

/* Before what the runs saw: it says most. */
static void add_first_reason(struct entry *en, const char *text)
{
	size_t before = en->n_reasons;

	entry_add_reason(en, REASON_SPEC, NULL, text);
	if (en->n_reasons == before)
		return;
	struct reason ours = en->reasons[before];
	memmove(en->reasons + 1, en->reasons, before * sizeof(ours));
	en->reasons[0] = ours;
}

void user_files_describe(const struct user_files *u, struct manifest *m)
{
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < m->n; i++)
		for (size_t k = 0; k < u->n; k++) {
			struct entry *en = &m->v[i];
			if (!is_ours(&u->v[k], en, host))
				continue;
			CLEANUP_STR char *text =
			    xasprintf("the user's own: %s%s", u->name, u->v[k].from);
			en->provided = PROVIDED_OWN;
			add_first_reason(en, text);
		}
}

static bool same_one(const struct user_files *u, const struct user_file *f, const struct entry *en)
{
	char target[PATH_MAX];
	struct stat st;

	if (beneath_lstat(u->dir, f->from, &st) < 0 || st.st_mode != en->mode ||
	    st.st_uid != en->uid || st.st_gid != en->gid)
		return false;
	if (S_ISLNK(en->mode))
		return beneath_readlink(u->dir, f->from, target, sizeof(target)) == 0 && en->link &&
		       streq(target, en->link);
	return S_ISDIR(en->mode) ||
	       (st.st_size == en->size && st.st_mtim.tv_sec == en->mtime.tv_sec &&
		st.st_mtim.tv_nsec == en->mtime.tv_nsec);
}

static bool differs(const char *path, char **which)
{
	if (which)
		*which = xstrdup(path);
	return false;
}

static const struct user_file *find(const struct user_files *u, const char *path)
{
	for (size_t i = 0; i < u->n; i++)
		if (streq(u->v[i].path, path))
			return &u->v[i];
	return NULL;
}

bool user_files_same(const struct user_files *u, const struct manifest *m, char **which)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].provided == PROVIDED_OWN && !find(u, m->v[i].path))
			return differs(m->v[i].path, which);
	for (size_t i = 0; i < u->n; i++) {
		const struct entry *en = manifest_find(m, u->v[i].path);
		if (!en || (en->provided == PROVIDED_OWN && !same_one(u, &u->v[i], en)) ||
		    (en->provided != PROVIDED_OWN && !S_ISDIR(en->mode)))
			return differs(u->v[i].path, which);
	}
	return true;
}
