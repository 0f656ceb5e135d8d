/* SPDX-License-Identifier: MIT */
/* From touches to provisions. Passes over the record:
 *
 *   written   a directory in which the service wrote becomes state (or log, or offered) as a tree;
 *             directories of everybody, of another package or jail (layout-others.c) give only the
 *             files that were written. What the service made in /tmp and, as single files, in /run
 *             is private and needs no provision.
 *   read      directories where users keep content, and the service's own in /etc, are the host's,
 *             read-only: edits and deploys go on as before.
 *   kernel    single files of /sys that were opened.
 *   inside    what needs more than its directory (layout-inside.c).
 *
 * Directories between which the service renamed or linked are joined to one: rename(2) across two
 * mounts is EXDEV. The prefix of a program that no package owns is provided like content, and what
 * is written in it like state: it is no program tree of the host's. */
#include "base/alloc.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "host/places.h"
#include "jail/account.h"
#include "jail/layout-parts.h"

/* Whether the service's attempt to write came to anything: it left something, or removed what it
 * had made, or the file was there before. */
static bool really_written(const struct derive *d, const struct touch *t)
{
	struct stat st;
	unsigned done = t->kinds & DERIVE_WRITTEN;

	if (!done)
		return false;
	if (S_ISDIR(t->found))
		return done & (TOUCH_CHANGE | TOUCH_WRITE);
	if (t->found)
		return done & ~TOUCH_MAKE || !(t->kinds & ~(TOUCH_MAKE | TOUCH_LISTED));
	return t->made || done & TOUCH_REMOVE || derive_exists(d->world, t->path, &st);
}

/* The nearest directory of the host at or above @path; *ret_made (may stay NULL) the first one
 * below it that the service made itself. New strings. */
static char *existing_dir(const struct derive *d, const char *path, char **ret_made)
{
	char *dir = xstrdup(path);
	struct stat st;

	*ret_made = NULL;
	while (!streq(dir, "/") && !(derive_exists(d->host, dir, &st) && S_ISDIR(st.st_mode))) {
		free(*ret_made);
		*ret_made = dir;
		dir = path_parent(dir);
	}
	return dir;
}

static void add_written_file(struct derive *d, const struct touch *t)
{
	struct stat st;
	bool private = place_private_area(t->path) || S_ISSOCK(t->found);

	/* A temporary file in a directory of everybody comes and goes with the run. */
	if (private || S_ISDIR(t->found) || !derive_exists(d->world, t->path, &st) ||
	    S_ISSOCK(st.st_mode))
		return;
	derive_add(d, t->path, derive_written_class(t->path), true,
		   xasprintf("%s is written there, in a directory that others share", t->path));
}

static void add_written(struct derive *d, const struct touch *t)
{
	CLEANUP_STR char *made = NULL;
	CLEANUP_STR char *start = S_ISDIR(t->found) ? xstrdup(t->path) : path_parent(t->path);
	CLEANUP_STR char *dir = existing_dir(d, start, &made);
	struct stat st;

	if (place_kernel_tree(dir) || (place_program_tree(dir) && !derive_in_prefix(d, dir)))
		return;
	if (!place_never_whole(dir) && !derive_is_others(d, dir)) {
		derive_add(d, dir, derive_written_class(dir), true,
			   xasprintf("%s is written there", t->path));
		return;
	}
	if (!made && derive_exists(d->world, t->path, &st) && S_ISDIR(st.st_mode) && !t->found)
		made = xstrdup(t->path); /* mkdir right in a directory of everybody */
	bool temporary = place_private_area(dir) && !path_within(dir, "/run");
	if (made && !temporary && derive_exists(d->world, made, &st))
		derive_add(d, made, derive_written_class(made), true,
			   xasprintf("the service makes %s", made));
	else if (!made)
		add_written_file(d, t);
	const struct provision *p = layout_find(d->l, t->path);
	if (!p || !p->writable)
		derive_withhold(d, dir);
}

static void add_config(struct derive *d, const struct touch *t)
{
	CLEANUP_STR char *dir = xstrdup(t->path);

	/* "/etc/NAME" of "/etc/NAME/some/file" */
	while (path_depth(dir) > 2) {
		char *up = path_parent(dir);
		free(dir);
		dir = up;
	}
	if (path_depth(t->path) < 3 || place_shared_config(t->path) || layout_find(d->l, t->path))
		return;
	derive_add(d, dir, CLASS_CONFIG, false, xasprintf("%s is read there", t->path));
}

static void add_content(struct derive *d, const struct touch *t)
{
	CLEANUP_STR char *dir = place_content_dir(t->path);

	if (!dir && S_ISDIR(t->found) && !place_never_whole(t->path)) {
		CLEANUP_STR char *inside = path_join(t->path, "x");
		dir = place_content_dir(inside);
	}
	if (!dir || place_never_whole(dir) || layout_find(d->l, t->path))
		return;
	struct stat st;
	if (derive_exists(d->host, dir, &st) && S_ISDIR(st.st_mode))
		derive_add(d, dir, CLASS_CONTENT, false, xasprintf("%s is read there", t->path));
}

/* /var/lib/NAME and its kin that belong to the service's user are its state, also where it only
 * read in them this time: a copy would be stale data. */
static void add_own_home(struct derive *d, const struct touch *t)
{
	const char *base = place_home_base(t->path);
	struct stat st;

	if (!base || !d->uid || path_depth(t->path) <= path_depth(base) + 1)
		return;
	const char *end = strchr(t->path + strlen(base) + 1, '/');
	CLEANUP_STR char *home = xstrndup(t->path, (size_t)(end - t->path));
	if (derive_exists(d->host, home, &st) && st.st_uid == d->uid && !place_never_whole(home))
		derive_add(d, home, derive_written_class(home), true,
			   xasprintf("%s is read there, and it is the service's own", t->path));
}

static void add_read(struct derive *d, const struct touch *t)
{
	if (!t->found || !(t->kinds & DERIVE_USED) || S_ISLNK(t->found))
		return;
	add_own_home(d, t);
	if (path_within(t->path, "/etc"))
		add_config(d, t);
	else
		add_content(d, t);
}

static void add_kernel(struct derive *d, const struct touch *t)
{
	bool opened = S_ISREG(t->found) && t->kinds & TOUCH_READ;
	bool listed = S_ISDIR(t->found) && t->kinds & TOUCH_LIST && path_depth(t->path) > 2;

	if (path_within(t->path, "/sys") && (opened || listed))
		derive_add(d, t->path, CLASS_KERNEL, false, xstrdup("opened by the service"));
}

/* Whether a pairing's end is one of the writable trees; its index. */
static struct provision *writable_for(struct layout *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].writable && !l->v[i].file && path_within(path, l->v[i].path))
			return &l->v[i];
	return NULL;
}

static void join(struct derive *d, const char *a, const char *b)
{
	struct provision *x = writable_for(d->l, a), *y = writable_for(d->l, b);

	if (!x || !y || x == y || path_within(a, y->path) || path_within(b, x->path))
		return;
	CLEANUP_STR char *common = path_common(x->path, y->path);
	if (!place_never_whole(common))
		derive_add(d, common, derive_written_class(common), true,
			   xasprintf("files move between %s and %s", a, b));
}

/* Several written directories of one home ("/var/lib/NAME/a" and ".../b") become their parent. */
static void join_homes(struct derive *d)
{
	for (size_t i = 0; i < d->l->n; i++)
		for (size_t j = i + 1; j < d->l->n; j++) {
			struct provision a = d->l->v[i], b = d->l->v[j];
			const char *base = place_home_base(a.path);
			if (!base || !a.writable || !b.writable || a.file || b.file ||
			    !path_within(b.path, base))
				continue;
			CLEANUP_STR char *common = path_common(a.path, b.path);
			if (path_depth(common) > path_depth(base) && !place_never_whole(common) &&
			    !streq(common, a.path) && !streq(common, b.path) &&
			    !derive_is_others(d, common))
				derive_add(d, common, derive_written_class(common), true,
					   xasprintf("the service writes in several places of it"));
		}
}

int layout_foresee(struct layout *l, const struct foreseen_dir *dirs, size_t n, int host)
{
	struct derive d CLEANUP_DERIVE = {.l = l, .host = host, .world = host};

	for (size_t i = 0; i < n; i++) {
		bool writable = dirs[i].writable;
		derive_add(&d, dirs[i].path,
			   writable ? derive_written_class(dirs[i].path) : CLASS_CONTENT, writable,
			   xstrdup(dirs[i].text));
	}
	derive_simplify(l);
	return d.added;
}

int layout_accounts(struct layout *l, const struct record *record, bool passwords, int host,
		    const char *why)
{
	const struct {
		const char *path;
		enum jail_class class;
		bool wanted;
	} files[] = {
	    {"/etc/passwd", CLASS_CONFIG, true},
	    {"/etc/group", CLASS_CONFIG, true},
	    {"/etc/shadow", CLASS_SECRET, passwords},
	    {"/etc/gshadow", CLASS_SECRET, false},
	};
	struct derive d CLEANUP_DERIVE = {.l = l, .host = host, .world = host};
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct touch *t = record_find(record, files[i].path);
		bool used = t && t->kinds & TOUCH_READ;
		if (derive_exists(host, files[i].path, &st) && (used || files[i].wanted))
			derive_add(&d, files[i].path, files[i].class, false,
				   xasprintf("accounts are the host's: %s", why));
	}
	derive_simplify(l);
	return d.added;
}

static void derive_record(struct derive *d)
{
	const struct record *record = d->record;

	derive_find_prefixes(d);
	derive_unkeep(d);
	for (const struct touch *t = record->touches; t; t = t->hh.next)
		if (really_written(d, t))
			add_written(d, t);
	for (size_t i = 0; i < record->n_pairings; i++)
		join(d, record->pairings[i].from, record->pairings[i].to);
	join_homes(d);
	derive_simplify(d->l);
	for (const struct touch *t = record->touches; t; t = t->hh.next) {
		if (place_kernel_tree(t->path))
			add_kernel(d, t);
		else
			add_read(d, t);
	}
	derive_add_prefixes(d);
	derive_simplify(d->l);
	for (const struct touch *t = record->touches; t; t = t->hh.next) {
		derive_link(d, t);
		derive_keep(d, t);
	}
}

int layout_derive(struct layout *l, const struct record *record, const struct spec *s, int host,
		  int world, struct err *e)
{
	struct derive d CLEANUP_DERIVE = {
	    .l = l, .record = record, .spec = s, .host = host, .world = world};
	struct account who;
	int r = account_of(s, &who, e);

	if (r == 0)
		r = derive_spec(&d, e);
	if (r < 0)
		return r;
	d.uid = who.uid;
	if (record)
		derive_record(&d);
	derive_simplify(l);
	strv_sort_unique(&l->own);
	return d.added;
}
