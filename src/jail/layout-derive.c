/* SPDX-License-Identifier: MIT */
/* From touches to provisions. Three passes over the record:
 *
 *   written   a directory in which the service wrote becomes state (or log, or offered) as a tree;
 *             directories of everybody give only the files that were written. What the service made
 *             in /tmp and, as single files, in /run is private and needs no provision.
 *   read      directories where users keep content, and the service's own in /etc, are the host's,
 *             read-only: edits and deploys go on as before.
 *   kernel    single files of /sys that were opened.
 *
 * Then directories between which the service renamed or linked are joined to one: rename(2) across
 * two mounts is EXDEV. */
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "host/places.h"
#include "jail/account.h"
#include "jail/layout.h"

#define WRITTEN (TOUCH_WRITE | TOUCH_MAKE | TOUCH_REMOVE | TOUCH_CHANGE | TOUCH_BIND)
#define USED	(TOUCH_READ | TOUCH_LIST | TOUCH_EXEC | TOUCH_INTERP)

struct derive {
	struct layout *l;
	int host, world;
	uid_t uid; /* the service's user; 0: root, or it switches by itself */
	int added;
};

static bool exists(int root, const char *path, struct stat *st)
{
	return beneath_lstat(root, path, st) == 0;
}

static struct provision *find_exact(struct layout *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (streq(l->v[i].path, path))
			return &l->v[i];
	return NULL;
}

/* The path of the provision that covers @path, or "". */
static const char *covering(const struct layout *l, const char *path)
{
	const struct provision *p = layout_find(l, path);
	return p ? p->path : "";
}

static enum jail_class class_of_written(const char *path)
{
	if (path_within(path, "/var/log"))
		return CLASS_LOG;
	return path_within(path, "/run") ? CLASS_OFFERED : CLASS_STATE;
}

/* The mode of what a start makes on the host: never set-id, whatever the twin made of it. */
static mode_t made_mode(const struct stat *st)
{
	if (!st->st_mode)
		return 0755;
	return st->st_mode & (S_ISDIR(st->st_mode) ? 03777 : 0777);
}

/* The provision that gives @path: a new one, the one that is there (made writable where it must
 * be), or a directory above it that gives as much already. Takes @why over. */
static struct provision *add(struct derive *d, const char *path, enum jail_class class,
			     bool writable, char *why)
{
	struct provision *p = find_exact(d->l, path);
	struct provision *above = p ? NULL : find_exact(d->l, covering(d->l, path));
	struct stat st = {0};

	if (above && !above->file && (above->writable || !writable)) {
		free(why);
		return above;
	}

	if (p) {
		free(why);
		if (writable && !p->writable) {
			p->writable = true;
			p->class = class;
			d->added++;
		}
		return p;
	}
	bool there = exists(d->host, path, &st);
	if (!there)
		exists(d->world, path, &st);
	d->l->v = xrealloc(d->l->v, d->l->n + 1, sizeof(*d->l->v));
	p = &d->l->v[d->l->n++];
	*p = (struct provision){.path = xstrdup(path),
				.class = class,
				.writable = writable,
				.file = st.st_mode && !S_ISDIR(st.st_mode),
				.create = !there,
				.mode = made_mode(&st),
				.uid = st.st_uid,
				.gid = st.st_gid,
				.why = why};
	d->added++;
	return p;
}

/* Whether the service's attempt to write came to anything: it left something, or removed what it
 * had made, or the file was there before. */
static bool really_written(const struct derive *d, const struct touch *t)
{
	struct stat st;
	unsigned done = t->kinds & WRITTEN;

	if (!done)
		return false;
	if (S_ISDIR(t->found))
		return done & (TOUCH_CHANGE | TOUCH_WRITE);
	if (t->found)
		return done & ~TOUCH_MAKE || !(t->kinds & ~(TOUCH_MAKE | TOUCH_LISTED));
	return t->made || done & TOUCH_REMOVE || exists(d->world, t->path, &st);
}

/* The nearest directory of the host at or above @path; *ret_made (may stay NULL) the first one
 * below it that the service made itself. New strings. */
static char *existing_dir(const struct derive *d, const char *path, char **ret_made)
{
	char *dir = xstrdup(path);
	struct stat st;

	*ret_made = NULL;
	while (!streq(dir, "/") && !(exists(d->host, dir, &st) && S_ISDIR(st.st_mode))) {
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
	if (private || S_ISDIR(t->found) || !exists(d->world, t->path, &st) || S_ISSOCK(st.st_mode))
		return;
	add(d, t->path, class_of_written(t->path), true,
	    xasprintf("%s is written there, in a directory that others share", t->path));
}

static void add_written(struct derive *d, const struct touch *t)
{
	CLEANUP_STR char *made = NULL;
	CLEANUP_STR char *start = S_ISDIR(t->found) ? xstrdup(t->path) : path_parent(t->path);
	CLEANUP_STR char *dir = existing_dir(d, start, &made);
	struct stat st;

	if (place_kernel_tree(dir) || place_program_tree(dir))
		return;
	if (!place_never_whole(dir)) {
		add(d, dir, class_of_written(dir), true, xasprintf("%s is written there", t->path));
		return;
	}
	if (!made && exists(d->world, t->path, &st) && S_ISDIR(st.st_mode) && !t->found)
		made = xstrdup(t->path); /* mkdir right in a directory of everybody */
	bool temporary = place_private_area(dir) && !path_within(dir, "/run");
	if (made && !temporary && exists(d->world, made, &st))
		add(d, made, class_of_written(made), true, xasprintf("the service makes %s", made));
	else if (!made)
		add_written_file(d, t);
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
	add(d, dir, CLASS_CONFIG, false, xasprintf("%s is read there", t->path));
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
	if (exists(d->host, dir, &st) && S_ISDIR(st.st_mode))
		add(d, dir, CLASS_CONTENT, false, xasprintf("%s is read there", t->path));
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
	if (exists(d->host, home, &st) && st.st_uid == d->uid && !place_never_whole(home))
		add(d, home, class_of_written(home), true,
		    xasprintf("%s is read there, and it is the service's own", t->path));
}

static void add_read(struct derive *d, const struct touch *t)
{
	if (!t->found || !(t->kinds & USED) || S_ISLNK(t->found))
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
		add(d, t->path, CLASS_KERNEL, false, xstrdup("opened by the service"));
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
		add(d, common, class_of_written(common), true,
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
			    !streq(common, a.path) && !streq(common, b.path))
				add(d, common, class_of_written(common), true,
				    xasprintf("the service writes in several places of it"));
		}
}

static void remove_at(struct layout *l, size_t i)
{
	free(l->v[i].path);
	free(l->v[i].why);
	l->n--;
	memmove(&l->v[i], &l->v[i + 1], (l->n - i) * sizeof(*l->v));
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct provision *)a)->path, ((const struct provision *)b)->path);
}

/* A provision below another that already gives the same or more is superfluous. */
static void simplify(struct layout *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_path);
	for (size_t i = 0; i < l->n; i++)
		for (size_t j = i + 1; j < l->n;) {
			const struct provision *a = &l->v[i], *b = &l->v[j];
			if (!a->file && path_within(b->path, a->path) &&
			    (a->writable || !b->writable))
				remove_at(l, j);
			else
				j++;
		}
}

/* What is only to be seen in the jail must be there; what it writes is made at the start. */
static int add_named(struct derive *d, const char *path, enum jail_class class, bool writable,
		     const char *key, struct err *e)
{
	struct stat st;

	if (!writable && !exists(d->host, path, &st))
		return err_set(
		    e, -ENOENT,
		    "%s=%s: there is no such path on this host (make it, or take the line "
		    "out; a '-' in front of a bind passes over what is missing)",
		    key, path);
	add(d, path, class, writable, xasprintf("%s=%s of the spec", key, path));
	return 0;
}

static int add_listed(struct derive *d, const struct strv *paths, enum jail_class class,
		      bool writable, const char *key, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < paths->n; i++) {
		CLEANUP_STR char *path = path_normal(paths->v[i]);
		r = add_named(d, path, class, writable, key, e);
	}
	return r;
}

/* BindPaths=SRC[:DST]; a destination of its own is not a first form's business: same path only. */
static int add_binds(struct derive *d, const struct strv *binds, bool writable, const char *key,
		     struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < binds->n; i++) {
		bool optional = binds->v[i][0] == '-';
		const char *text = binds->v[i] + optional;
		CLEANUP_STR char *src = xstrndup(text, strcspn(text, ":"));
		CLEANUP_STR char *path = path_normal(src);
		struct stat st;
		/* The kernel's own, /dev/log among it, is the run's business, not a bind's. */
		if (place_kernel_tree(path) || (optional && !exists(d->host, path, &st)))
			continue;
		if (text[strlen(src)] == ':' && !streq(text + strlen(src) + 1, src))
			return err_set(e, -EINVAL,
				       "%s=%s: another place in the jail is not supported; bind %s "
				       "as %s",
				       key, binds->v[i], src, src);
		if (!exists(d->host, path, &st))
			return err_set(e, -ENOENT,
				       "%s=%s: there is no such path on this host (a '-' in front "
				       "passes over what is missing)",
				       key, path);
		r = add_named(d, path, writable ? CLASS_STATE : CLASS_CONTENT, writable, key, e);
	}
	return r;
}

/* StateDirectory= and its kin: made with the service's owner, as systemd.exec(5) says. */
static int add_dirs(struct derive *d, const struct spec *s, const struct spec_dirs *dirs,
		    const char *base, enum jail_class class, struct err *e)
{
	struct account who;
	int r = dirs->names.n ? account_of(s, &who, e) : 0;

	for (size_t i = 0; r == 0 && i < dirs->names.n; i++) {
		CLEANUP_STR char *path = path_join(base, dirs->names.v[i]);
		struct provision *p =
		    add(d, path, class, class != CLASS_CONFIG, xstrdup("named by the unit"));
		if (!streq(p->path, path))
			continue;
		p->mode = dirs->mode;
		p->uid = class == CLASS_CONFIG ? 0 : who.uid;
		p->gid = class == CLASS_CONFIG ? 0 : who.gid;
	}
	return r;
}

static int add_spec(struct derive *d, const struct spec *s, struct err *e)
{
	const struct {
		const struct spec_dirs *dirs;
		const char *base;
		enum jail_class class;
	} made[] = {
	    {&s->runtime_dirs, "/run", CLASS_OFFERED},
	    {&s->state_dirs, "/var/lib", CLASS_STATE},
	    {&s->cache_dirs, "/var/cache", CLASS_STATE},
	    {&s->logs_dirs, "/var/log", CLASS_LOG},
	    {&s->configuration_dirs, "/etc", CLASS_CONFIG},
	};
	const struct {
		const struct strv *paths;
		enum jail_class class;
		bool writable;
		const char *key;
	} listed[] = {
	    {&s->state, CLASS_STATE, true, "State"},
	    {&s->content, CLASS_CONTENT, false, "Content"},
	    {&s->config, CLASS_CONFIG, false, "Config"},
	    {&s->offer, CLASS_OFFERED, true, "Offer"},
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(made); i++)
		r = add_dirs(d, s, made[i].dirs, made[i].base, made[i].class, e);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(listed); i++)
		r = add_listed(d, listed[i].paths, listed[i].class, listed[i].writable,
			       listed[i].key, e);
	if (r == 0)
		r = add_binds(d, &s->bind_paths, true, "BindPaths", e);
	if (r == 0)
		r = add_binds(d, &s->bind_read_only_paths, false, "BindReadOnlyPaths", e);
	return r;
}

int layout_foresee(struct layout *l, const struct foreseen_dir *dirs, size_t n, int host)
{
	struct derive d = {.l = l, .host = host, .world = host};

	for (size_t i = 0; i < n; i++) {
		bool writable = dirs[i].writable;
		add(&d, dirs[i].path, writable ? class_of_written(dirs[i].path) : CLASS_CONTENT,
		    writable, xstrdup(dirs[i].text));
	}
	simplify(l);
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
	struct derive d = {.l = l, .host = host, .world = host};
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct touch *t = record_find(record, files[i].path);
		bool used = t && t->kinds & TOUCH_READ;
		if (exists(host, files[i].path, &st) && (used || files[i].wanted))
			add(&d, files[i].path, files[i].class, false,
			    xasprintf("accounts are the host's: %s", why));
	}
	simplify(l);
	return d.added;
}

int layout_derive(struct layout *l, const struct record *record, const struct spec *s, int host,
		  int world, struct err *e)
{
	struct derive d = {.l = l, .host = host, .world = world};
	struct account who;
	int r = account_of(s, &who, e);

	if (r == 0)
		r = add_spec(&d, s, e);
	if (r < 0)
		return r;
	d.uid = who.uid;
	for (const struct touch *t = record ? record->touches : NULL; t; t = t->hh.next)
		if (really_written(&d, t))
			add_written(&d, t);
	for (size_t i = 0; record && i < record->n_pairings; i++)
		join(&d, record->pairings[i].from, record->pairings[i].to);
	join_homes(&d);
	simplify(l);
	for (const struct touch *t = record ? record->touches : NULL; t; t = t->hh.next) {
		if (place_kernel_tree(t->path))
			add_kernel(&d, t);
		else
			add_read(&d, t);
	}
	simplify(l);
	return d.added;
}
