/* SPDX-License-Identifier: MIT */
#include "jail/describe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "confine/device.h"
#include "crypto/crypto.h"
#include "fs/beneath.h"
#include "fs/dir.h"
#include "fs/meta.h"
#include "host/host.h"
#include "host/places.h"
#include "jail/foreseen.h"
#include "jail/helpers.h"

int describe_hash(int root, const char *path, char hex[65])
{
	const struct crypto *crypto = crypto_load(NULL);
	unsigned char hash[CRYPTO_HASH];
	CLEANUP_FD int fd = beneath_open_nolink(root, path, O_RDONLY | O_NONBLOCK, 0);

	if (fd < 0 || !crypto)
		return fd < 0 ? fd : -ENOPKG;
	int r = crypto->hash_file(fd, hash);
	if (r == 0)
		crypto_hex(hash, hex);
	return r;
}

#define XATTR_SHOWN 64 /* bytes of a value; of a longer one the hash is told */

static void hex_of(const unsigned char *bytes, size_t n, char *ret)
{
	for (size_t i = 0; i < n; i++)
		sprintf(ret + 2 * i, "%02x", bytes[i]);
}

static char *xattr_text(const struct meta_xattr *x)
{
	const struct crypto *crypto = x->size > XATTR_SHOWN ? crypto_load(NULL) : NULL;
	const struct crypto_part part = {x->value, x->size};
	unsigned char hash[CRYPTO_HASH] = {0};
	char hex[2 * XATTR_SHOWN + 1] = "";

	if (x->size <= XATTR_SHOWN) {
		hex_of(x->value, x->size, hex);
		return xasprintf("%s=%s", x->name, hex);
	}
	if (crypto)
		crypto->hash_parts(&part, 1, hash);
	hex_of(hash, sizeof(hash), hex);
	return xasprintf("%s=sha256:%s", x->name, hex);
}

char *describe_xattrs(int fd)
{
	struct meta m CLEANUP_META = META_INIT;
	struct strv all CLEANUP_STRV = STRV_INIT;
	char *text = NULL;

	if (meta_read(fd, &m) < 0)
		return NULL;
	for (size_t i = 0; i < m.n_xattrs; i++)
		strv_take(&all, xattr_text(&m.xattrs[i]));
	strv_sort_unique(&all);
	for (size_t i = 0; i < all.n; i++) {
		char *longer = xasprintf("%s%s%s", text ? text : "", text ? "," : "", all.v[i]);
		free(text);
		text = longer;
	}
	return text;
}

/* What the runs saw of a path. */
static const struct touch *seen(const struct seal *s, const char *path)
{
	const struct touch *t = record_find(s->growth, path);

	if (!t || !t->kinds)
		t = record_find(s->baseline, path);
	return t && t->kinds ? t : NULL;
}

/* A reason from what the kernel or a program did; "by" is none for what our own process did. */
static void add_use_reason(struct entry *en, const struct touch *t)
{
	const char *of = t->why ? str_after(t->why, "interpreter of ") : NULL;
	const char *by = t->by && *t->by && !helpers_ours(t->by) ? t->by : NULL;

	if (of) {
		entry_add_reason(en, REASON_USED, of, t->why);
		return;
	}
	CLEANUP_STR char *text =
	    xasprintf("%s at %s%s%s", en->used, en->phase, by ? " by " : "", by ? by : "");
	entry_add_reason(en, REASON_USED, by, text);
}

static void add_use(struct entry *en, const struct seal *s)
{
	const struct touch *t = seen(s, en->path);
	char words[160];

	if (!t)
		return;
	en->used = xstrdup(touch_kinds_text(t->kinds, words, sizeof(words)));
	en->phase = xstrdup(phase_name(t->phase));
	en->by = t->by ? xstrdup(t->by) : NULL;
	en->start_helper = !S_ISDIR(en->mode) && helpers_has(s->baseline, s->growth, en->path);
	add_use_reason(en, t);
}

/* A link's reason is what it leads to; where that is not the case, what used it. */
static void add_foresight(struct entry *en, const struct evidence *ev)
{
	const struct node *n = evidence_find(ev, en->path);

	for (size_t i = 0; n && i < n->n_reasons; i++)
		if (n->reasons[i].kind != REASON_USED)
			entry_add_reason(en, n->reasons[i].kind, n->reasons[i].from,
					 n->reasons[i].text);
}

static void add_evidence(struct entry *en, const struct seal *s)
{
	const struct package *p = packages_owner(s->foresight->packages, en->path);

	/* A directory of several packages is nobody's. */
	if (p && packages_owners(s->foresight->packages, en->path) == 1) {
		en->package = xstrdup(p->name);
		en->version = xstrdup(p->version);
	}
	add_foresight(en, s->foresight->evidence);
	if (s->packages)
		add_foresight(en, s->packages);
	add_use(en, s);
}

int describe_path(struct manifest *m, const struct seal *s, int tree, const char *path)
{
	char link[PATH_MAX];
	struct stat st;
	int r = beneath_lstat(tree, path, &st);

	if (r < 0)
		return r;
	struct entry *en = manifest_add(m, path);
	entry_set_stat(en, &st);
	en->class = layout_spec_class(s->spec, path, seal_class(tree, path, &st));
	const struct provision *p = layout_find(s->layout, path);
	if (p && streq(p->path, path)) {
		en->class = p->class;
		en->provided = PROVIDED_BIND;
		entry_add_reason(en, REASON_SPEC, NULL, p->why);
	}
	/* What only covers a mount point tells nothing, and would be another in each build. */
	if (en->provided == PROVIDED_BIND || place_kernel_tree(path) || place_private_area(path))
		en->mtime = (struct timespec){0};
	add_evidence(en, s);
	if (S_ISLNK(st.st_mode) && beneath_readlink(tree, path, link, sizeof(link)) == 0)
		en->link = xstrdup(link);
	return 0;
}

static int describe_entries(struct manifest *m, const struct seal *s, int tree, const char *path)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	CLEANUP_FD int fd = beneath_open_nolink(tree, path, O_RDONLY | O_DIRECTORY, 0);
	int r = fd < 0 ? fd : dir_names(fd, &names);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		CLEANUP_STR char *child = path_join(path, names.v[i]);
		r = describe_path(m, s, tree, child);
		if (r == 0 && S_ISDIR(m->v[m->n - 1].mode))
			r = describe_entries(m, s, tree, child);
	}
	return r;
}

int describe_tree(const struct seal *s, int tree, struct manifest *ret, struct err *e)
{
	int r = describe_entries(ret, s, tree, "/");
	return r < 0 ? err_errno(e, r, "reading back the laid tree") : 0;
}

/* @read: a run has read it. A key that none has is not the service's. */
static void add_bound(struct manifest *m, const struct seal *s, int host, const char *path,
		      bool read)
{
	const struct provision *p = layout_find(s->layout, path);
	CLEANUP_STR char *end = NULL; /* the way may be a link that is mounted as a directory */
	struct stat st;

	if (!p || p->writable || streq(p->path, path) ||
	    host_resolve(host, path, &end, &st, NULL) < 0 || !S_ISREG(st.st_mode))
		return;
	struct entry *en = manifest_add(m, path);
	entry_set_stat(en, &st);
	en->class = read && evidence_key(host, end, &st) ? CLASS_SECRET : p->class;
	en->provided = PROVIDED_BIND;
	add_evidence(en, s);
}

static void add_device(struct manifest *m, const struct seal *s, const char *path)
{
	struct entry *en = manifest_add(m, path);

	en->mode = S_IFCHR | 0666;
	en->class = CLASS_DEVICE;
	en->provided = PROVIDED_DEVICE;
	add_evidence(en, s);
}

static bool is_read(const struct touch *t)
{
	return t->kinds & (TOUCH_READ | TOUCH_EXEC);
}

void describe_beside(const struct seal *s, int host, struct manifest *m)
{
	for (const struct touch *t = s->growth->touches; t; t = t->hh.next) {
		if (is_read(t))
			add_bound(m, s, host, t->path, true);
		if (S_ISCHR(t->found) && path_within(t->path, "/dev"))
			add_device(m, s, t->path);
	}
	for (const struct node *n = s->foresight->evidence->first; n; n = n->next) {
		const struct touch *t = record_find(s->growth, n->path);
		if (!foreseen_wanted(s->spec, s->foresight, n))
			continue;
		if (!t || !is_read(t))
			add_bound(m, s, host, n->path, false);
		if (S_ISCHR(n->st.st_mode) && device_is_minimal(n->path) &&
		    !(t && S_ISCHR(t->found)))
			add_device(m, s, n->path);
	}
}

int describe_hashes(int tree, struct manifest *m, struct err *e)
{
	char hex[65];

	for (size_t i = 0; i < m->n; i++) {
		struct entry *en = &m->v[i];
		if (!entry_is_held(en) || S_ISLNK(en->mode) || en->sha256)
			continue;
		CLEANUP_FD int fd = beneath_open_nolink(tree, en->path, O_PATH | O_NOFOLLOW, 0);
		free(en->xattrs);
		en->xattrs = fd < 0 ? NULL : describe_xattrs(fd);
		if (!S_ISREG(en->mode))
			continue;
		int r = describe_hash(tree, en->path, hex);
		if (r < 0)
			return err_errno(e, r, "reading back %s", en->path);
		en->sha256 = xstrdup(hex);
	}
	return 0;
}

/* The entry behind a directory's in a sorted manifest that lies below it, or NULL. */
static const struct entry *first_below(const struct manifest *m, size_t i)
{
	for (size_t k = i + 1; k < m->n; k++)
		if (path_within(m->v[k].path, m->v[i].path))
			return &m->v[k];
		else if (strncmp(m->v[k].path, m->v[i].path, strlen(m->v[i].path)) != 0)
			return NULL;
	return NULL;
}

void describe_ways(struct manifest *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct entry *en = &m->v[i];
		const struct entry *below = en->n_reasons ? NULL : first_below(m, i);
		CLEANUP_STR char *text = below ? xasprintf("on the way to %s", below->path)
					       : xstrdup("every jail has it: a place to mount on");
		if (!en->n_reasons)
			entry_add_reason(en, below ? REASON_WAY : REASON_MADE,
					 below ? below->path : NULL, text);
	}
}
