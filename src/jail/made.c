/* SPDX-License-Identifier: MIT */
#include "jail/made.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "fs/temp.h"
#include "host/host.h"
#include "ld/ld-cache.h"

#define FILE_MAX (64u << 20)

struct making {
	const struct manifest *m;
	const struct foresight *f;
	const char *text; /* the host's file */
	size_t len;
	char *made;
	size_t made_len;
	char *why; /* for people */
};

static bool has_library(const char *path, void *ctx)
{
	const struct making *mk = ctx;
	struct strv links CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *end = NULL;

	if (host_resolve(mk->f->evidence->host, path, &end, NULL, &links) < 0)
		return false;
	for (size_t i = 0; i < links.n; i++)
		if (!manifest_find(mk->m, links.v[i]))
			return false;
	return manifest_find(mk->m, end) != NULL;
}

static int make_ld_cache(struct making *mk, struct err *e)
{
	mk->why = xstrdup("made for the jail: the loader's cache, cut to the libraries in here");
	return ld_cache_cut(mk->text, mk->len, has_library, mk, &mk->made, &mk->made_len, e);
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static int set_accounts(struct making *mk, char *made, const char *what)
{
	mk->made = made;
	mk->made_len = strlen(made);
	mk->why = xasprintf("made for the jail: the %zu of the host's %zu %s that it needs",
			    count_lines(made), count_lines(mk->text), what);
	return 0;
}

static int make_passwd(struct making *mk, struct err *e UNUSED)
{
	return set_accounts(mk, accounts_cut_passwd(&mk->f->accounts), "users");
}

static int make_group(struct making *mk, struct err *e UNUSED)
{
	return set_accounts(mk, accounts_cut_group(&mk->f->accounts), "groups");
}

static int make_shadow(struct making *mk, struct err *e UNUSED)
{
	return set_accounts(mk, accounts_cut_shadow(&mk->f->accounts, mk->text, false), "users");
}

static int make_gshadow(struct making *mk, struct err *e UNUSED)
{
	return set_accounts(mk, accounts_cut_shadow(&mk->f->accounts, mk->text, true), "groups");
}

static const struct {
	const char *path;
	int (*make)(struct making *mk, struct err *e);
} rows[] = {
    {"/etc/group", make_group},	  {"/etc/gshadow", make_gshadow},      {"/etc/passwd", make_passwd},
    {"/etc/shadow", make_shadow}, {"/etc/ld.so.cache", make_ld_cache},
};

/* The same inode with other bytes; its times are those of the host's file again. */
static int overwrite(int tree, const struct entry *en, const char *data, size_t len)
{
	const struct timespec times[2] = {en->mtime, en->mtime};
	CLEANUP_FD int fd = beneath_open_nolink(tree, en->path, O_WRONLY | O_TRUNC, 0);

	if (fd < 0)
		return fd;
	int r = fd_write_all(fd, data, len);
	return r == 0 && futimens(fd, times) < 0 ? -errno : r;
}

static int make_one(int tree, struct entry *en, size_t row, const struct manifest *m,
		    const struct foresight *f, struct err *e)
{
	CLEANUP_STR char *text = NULL;
	struct making mk = {.m = m, .f = f};
	int r = host_read(tree, en->path, FILE_MAX, &text, &mk.len);

	if (r < 0 || !mk.len) /* one without bytes was withheld from the service */
		return r < 0 ? err_errno(e, r, "reading %s of the jail", en->path) : 0;
	mk.text = text;
	r = rows[row].make(&mk, e);
	if (r == 0 && (r = overwrite(tree, en, mk.made, mk.made_len)) < 0)
		err_errno(e, r, "writing %s of the jail", en->path);
	if (r == 0) {
		en->size = (off_t)mk.made_len;
		en->provided = PROVIDED_MADE;
		entry_add_reason(en, REASON_MADE, NULL, mk.why);
	}
	free(mk.made);
	free(mk.why);
	return r < 0 ? err_prefix(e, "making %s for the jail", en->path) : 0;
}

static void need_owners(const struct manifest *m, struct accounts *a)
{
	for (size_t i = 0; i < m->n; i++) {
		accounts_need_uid(a, m->v[i].uid, "owns %s", m->v[i].path);
		accounts_need_gid(a, m->v[i].gid, "owns %s", m->v[i].path);
	}
}

int made_write(int tree, struct manifest *m, struct foresight *f, struct err *e)
{
	int r = 0;

	need_owners(m, &f->accounts);
	for (size_t i = 0; r == 0 && i < m->n; i++)
		for (size_t k = 0; r == 0 && k < ARRAY_LEN(rows); k++) {
			if (streq(m->v[i].path, rows[k].path) && S_ISREG(m->v[i].mode) &&
			    m->v[i].provided == PROVIDED_COPY)
				r = make_one(tree, &m->v[i], k, m, f, e);
		}
	return r;
}

/* The store and other generations may have the old file by another name: it is never written to. */
static int replace(int tree, const struct entry *en, const char *data, size_t len)
{
	const struct timespec times[2] = {en->mtime, en->mtime};
	struct temp temp CLEANUP_TEMP = TEMP_INIT;
	CLEANUP_STR char *up = path_parent(en->path);
	CLEANUP_FD int parent = beneath_open_nolink(tree, up, O_PATH | O_DIRECTORY, 0);
	CLEANUP_FD int fd = parent < 0 ? parent : temp_make(&temp, parent, S_IFREG, NULL);

	if (fd < 0)
		return fd;
	int r = fd_write_all(fd, data, len);
	if (r == 0 && (fchown(fd, en->uid, en->gid) < 0 || fchmod(fd, en->mode & 07777) < 0 ||
		       futimens(fd, times) < 0))
		r = -errno;
	return r == 0 ? temp_rename(&temp, path_base(en->path), 0) : r;
}

int made_renew(int tree, struct manifest *m, const struct foresight *f, struct err *e)
{
	static const char cache[] = "/etc/ld.so.cache";
	struct entry *en = NULL;
	CLEANUP_STR char *text = NULL;
	struct making mk = {.m = m, .f = f};

	for (size_t i = 0; i < m->n; i++)
		if (streq(m->v[i].path, cache))
			en = &m->v[i];
	if (!en || en->provided != PROVIDED_MADE)
		return 0;
	int r = host_read(f->evidence->host, cache, FILE_MAX, &text, &mk.len);
	if (r < 0)
		return err_errno(e, r, "reading %s", cache);
	mk.text = text;
	r = make_ld_cache(&mk, e);
	if (r == 0 && (r = replace(tree, en, mk.made, mk.made_len)) < 0)
		err_errno(e, r, "writing %s of the jail", cache);
	if (r == 0) {
		en->size = (off_t)mk.made_len;
		free(en->sha256);
		en->sha256 = NULL;
	}
	free(mk.made);
	free(mk.why);
	return r;
}
