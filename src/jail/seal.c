/* SPDX-License-Identifier: MIT */
#include "jail/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "fs/dir.h"
#include "jail/account.h"
#include "jail/lay.h"
#include "host/places.h"
#include "jail/mounts.h"

#define USED                                                                                       \
	(TOUCH_LOOK | TOUCH_READ | TOUCH_LIST | TOUCH_EXEC | TOUCH_INTERP | TOUCH_LINK |           \
	 TOUCH_WRITE | TOUCH_CONNECT | TOUCH_CHANGE)

enum jail_class seal_class(const char *path, const struct stat *st)
{
	bool etc = path_within(path, "/etc");

	if (place_private_area(path))
		return CLASS_RUNTIME;
	/* What its owner shows to nobody else is a secret, wherever it stands. */
	if (S_ISREG(st->st_mode) && !(st->st_mode & S_IROTH) && !(st->st_mode & 0111))
		return CLASS_SECRET;
	return etc ? CLASS_CONFIG : CLASS_PROGRAM;
}

/* Whether the path was asked for by the service in a way that a jail must answer. Stand-ins of a
 * listing count outside program trees: a listing there is part of what was seen. */
static bool wanted(const struct touch *t)
{
	if (!t->found || place_kernel_tree(t->path))
		return false;
	if (t->kinds & USED)
		return true;
	bool listed = t->kinds & TOUCH_LISTED;
	return listed && !place_program_tree(t->path);
}

static bool in_groups(const struct account *a, gid_t gid)
{
	for (size_t i = 0; i < a->n_groups; i++)
		if (a->groups[i] == gid)
			return true;
	return a->gid == gid;
}

static bool has_acl(int source, const char *path)
{
	char proc[40];
	CLEANUP_FD int fd = beneath_open_nolink(source, path, O_PATH | O_NOFOLLOW, 0);

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	return fd >= 0 && getxattr(proc, "system.posix_acl_access", NULL, 0) > 0;
}

/* Whether the service's user may read the file, by its mode; true where an ACL may say otherwise. A
 * service that starts as root, in whole or in part, may read everything. */
static bool readable(const struct seal *s, int source, const char *path)
{
	struct account a;
	struct stat st;

	if (!s->spec->user || s->spec->start_pre.n || beneath_lstat(source, path, &st) < 0 ||
	    !S_ISREG(st.st_mode) || account_of(s->spec, &a, NULL) < 0 || a.uid == 0)
		return true;
	unsigned bit = st.st_uid == a.uid ? S_IRUSR : in_groups(&a, st.st_gid) ? S_IRGRP : S_IROTH;
	return st.st_mode & bit || has_acl(source, path);
}

static int lay_record(struct lay *l, const struct seal *s, const struct record *record,
		      struct err *e)
{
	const struct touch *t;
	int r = 0;

	for (t = record ? record->touches : NULL; r >= 0 && t; t = t->hh.next) {
		const struct provision *p = wanted(t) ? layout_find(s->layout, t->path) : NULL;
		if (wanted(t) && !p)
			r = readable(s, l->source, t->path) ? lay_path(l, t->path, e)
							    : lay_withheld(l, t->path, e);
	}
	return r < 0 ? r : 0;
}

static int sha256(int root, const char *path, char hex[65])
{
	unsigned char digest[EVP_MAX_MD_SIZE], buf[65536];
	unsigned len = 0;
	ssize_t n;
	CLEANUP_FD int fd = beneath_open_nolink(root, path, O_RDONLY | O_NONBLOCK, 0);
	EVP_MD_CTX *ctx = fd < 0 ? NULL : EVP_MD_CTX_new();

	if (!ctx)
		return fd < 0 ? fd : -ENOMEM;
	EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		EVP_DigestUpdate(ctx, buf, (size_t)n);
	EVP_DigestFinal_ex(ctx, digest, &len);
	EVP_MD_CTX_free(ctx);
	for (unsigned i = 0; i < len; i++)
		sprintf(hex + 2 * (size_t)i, "%02x", digest[i]);
	return n < 0 ? -EIO : 0;
}

static bool is_own_program(const char *path)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return false;
	self[n] = '\0';
	return streq(self, path);
}

static void add_evidence(struct entry *en, const struct seal *s)
{
	static const char *const phases[] = {"start", "exercise", "stop"};
	const struct touch *t = record_find(s->growth, en->path);
	char words[160];

	if (!t || !t->kinds)
		t = record_find(s->baseline, en->path);
	if (!t || !t->kinds)
		return;
	en->used = xstrdup(touch_kinds_text(t->kinds, words, sizeof(words)));
	en->phase = xstrdup(phases[t->phase]);
	en->by = t->by ? xstrdup(t->by) : NULL;
	en->why = t->why ? xstrdup(t->why) : NULL;
	/* What our own process executed is the command that the spec names. */
	if (t->by && t->kinds & TOUCH_EXEC && is_own_program(t->by) && !en->why)
		en->why = xstrdup("the service's command");
}

static void set_stat(struct entry *en, const struct stat *st)
{
	en->mode = st->st_mode;
	en->uid = st->st_uid;
	en->gid = st->st_gid;
	en->size = S_ISREG(st->st_mode) ? st->st_size : 0;
	en->mtime = st->st_mtim;
}

static int describe(struct manifest *m, const struct seal *s, int root, const char *path)
{
	char link[PATH_MAX], hex[65];
	struct stat st;
	int r = beneath_lstat(root, path, &st);

	if (r < 0)
		return r;
	struct entry *en = manifest_add(m, path);
	set_stat(en, &st);
	en->class = seal_class(path, &st);
	add_evidence(en, s);
	if (S_ISLNK(st.st_mode) && beneath_readlink(root, path, link, sizeof(link)) == 0)
		en->link = xstrdup(link);
	if (S_ISREG(st.st_mode) && (r = sha256(root, path, hex)) == 0)
		en->sha256 = xstrdup(hex);
	const struct provision *p = layout_find(s->layout, path);
	if (p && streq(p->path, path)) {
		en->class = p->class;
		en->provided = PROVIDED_BIND;
		free(en->why);
		en->why = xstrdup(p->why);
	}
	return r;
}

static int describe_tree(struct manifest *m, const struct seal *s, int root, const char *path);

static int describe_entries(struct manifest *m, const struct seal *s, int root, const char *path)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	CLEANUP_FD int fd = beneath_open_nolink(root, path, O_RDONLY | O_DIRECTORY, 0);
	int r = fd < 0 ? fd : dir_names(fd, &names);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		CLEANUP_STR char *child = path_join(path, names.v[i]);
		r = describe_tree(m, s, root, child);
	}
	return r;
}

static int describe_tree(struct manifest *m, const struct seal *s, int root, const char *path)
{
	int r = describe(m, s, root, path);
	if (r == 0 && S_ISDIR(m->v[m->n - 1].mode))
		r = describe_entries(m, s, root, path);
	return r;
}

/* Files of the host that are seen through a read-only mount: no copy, but part of the listing. */
static void describe_bound(struct manifest *m, const struct seal *s, int host)
{
	for (const struct touch *t = s->growth->touches; t; t = t->hh.next) {
		const struct provision *p = layout_find(s->layout, t->path);
		struct stat st;
		if (!p || p->writable || !(t->kinds & (TOUCH_READ | TOUCH_EXEC)) ||
		    streq(p->path, t->path) || beneath_lstat(host, t->path, &st) < 0)
			continue;
		struct entry *en = manifest_add(m, t->path);
		set_stat(en, &st);
		en->class = p->class;
		en->provided = PROVIDED_BIND;
		add_evidence(en, s);
	}
}

static void describe_devices(struct manifest *m, const struct seal *s)
{
	for (const struct touch *t = s->growth->touches; t; t = t->hh.next) {
		if (!S_ISCHR(t->found) || !path_within(t->path, "/dev"))
			continue;
		struct entry *en = manifest_add(m, t->path);
		en->mode = S_IFCHR | 0666;
		en->class = CLASS_DEVICE;
		en->provided = PROVIDED_DEVICE;
		add_evidence(en, s);
	}
}

static int fill(struct lay *l, const struct seal *s, struct err *e)
{
	int r = mounts_points(l, s->layout, e);

	if (r == 0)
		r = lay_record(l, s, s->growth, e);
	if (r == 0)
		r = lay_record(l, s, s->baseline, e);
	for (size_t i = 0; r == 0 && i < s->spec->include.n; i++)
		r = lay_recursive(l, s->spec->include.v[i], e);
	return r;
}

int seal_make(const struct seal *s, const char *dir, struct manifest *ret, struct err *e)
{
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_STR char *root = path_join(dir, "root");
	struct lay l;

	if (mkdir(root, 0755) < 0)
		return err_errno(e, -errno, "making %s", root);
	int r = lay_open(&l, host, root, e);
	if (r < 0)
		return r;
	r = fill(&l, s, e);
	if (r == 0) {
		r = describe_entries(ret, s, l.tree, "/");
		if (r < 0)
			err_errno(e, r, "reading back %s", root);
	}
	lay_close(&l);
	if (r < 0)
		return r;
	describe_bound(ret, s, host);
	describe_devices(ret, s);
	manifest_sort(ret);
	return 0;
}
