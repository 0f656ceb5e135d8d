/* SPDX-License-Identifier: MIT */
/* Whose a directory is: another package's, another jail's, or that of a program which no package
 * has brought. */
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "host/places.h"
#include "jail/layout-parts.h"

static const struct packages *packages_of(struct derive *d)
{
	if (d->packages)
		return d->packages;
	d->packages = packages_open(d->host, NULL);
	for (const struct touch *t = d->record ? d->record->touches : NULL; t; t = t->hh.next) {
		const struct package *p = S_ISREG(t->found) && t->kinds & DERIVE_USED
					      ? packages_owner(d->packages, t->path)
					      : NULL;
		if (p)
			strv_add(&d->sources, p->source);
	}
	strv_sort_unique(&d->sources);
	return d->packages;
}

static bool of_another_package(struct derive *d, const char *dir)
{
	const struct packages *all = packages_of(d);

	if (!packages_owners(all, dir))
		return false;
	for (size_t i = 0; i < d->sources.n; i++)
		if (packages_owned_from(all, dir, d->sources.v[i]))
			return false;
	return true;
}

/* The state of another jail that @dir lies in, or has in it: which of `taken`, or -1. */
static int taken_with(const struct layout *l, const char *dir)
{
	const struct strv *taken = &l->taken, *had = &l->had;

	for (size_t i = 0; i < had->n; i++)
		if (path_within(dir, had->v[i]))
			return -1;
	for (size_t i = 0; i < taken->n; i++)
		if (path_within(dir, taken->v[i]) || path_within(taken->v[i], dir))
			return (int)i;
	return -1;
}

void derive_withhold(struct derive *d, const char *dir)
{
	struct layout *l = d->l;
	int i = place_never_whole(dir) ? -1 : taken_with(l, dir);

	if (i >= 0 && !strv_has(&l->withheld, dir))
		strv_add(&l->withheld, dir);
}

void layout_withheld(const struct layout *l, struct strv *ret)
{
	for (size_t i = 0; i < l->withheld.n; i++) {
		const char *dir = l->withheld.v[i];
		const struct provision *p = layout_find(l, dir);
		int k = p && p->writable ? -1 : taken_with(l, dir); /* found to be its own since */
		if (k < 0)
			continue;
		const char *theirs = l->taken.v[k], *both = path_within(dir, theirs) ? theirs : dir;
		CLEANUP_STR char *text =
		    xasprintf("%s is the state of jail %s (State=%s in [Jail] lets both have it; "
			      "or let the service have another)",
			      theirs, l->takers.v[k], both);
		if (!strv_has(ret, text))
			strv_add(ret, text);
	}
}

static bool lies_in(const char *path, const char *dir)
{
	CLEANUP_STR char *up = path_parent(path);
	return streq(up, dir);
}

/* Whether files come, go or change names right in @dir. */
static bool names_change(const struct derive *d, const char *dir)
{
	const struct record *rec = d->record;

	for (size_t i = 0; i < rec->n_pairings; i++)
		if (streq(rec->pairings[i].from, dir) || streq(rec->pairings[i].to, dir))
			return true;
	for (const struct touch *t = rec->touches; t; t = t->hh.next)
		if (t->kinds & (TOUCH_REMOVE | TOUCH_BIND) && lies_in(t->path, dir) &&
		    (t->found || t->made))
			return true;
	return false;
}

bool derive_is_others(struct derive *d, const char *dir)
{
	struct stat st;

	/* Anybody but root writes only where he was let. */
	if (d->uid || !d->record || !derive_exists(d->host, dir, &st))
		return false;
	/* So does a group to which a directory hands down what is made in it (/var/mail). */
	bool group = st.st_mode & S_IWGRP && st.st_mode & S_ISGID;
	if (st.st_mode & S_IWOTH || group)
		return false;
	return (taken_with(d->l, dir) >= 0 || of_another_package(d, dir)) && !names_change(d, dir);
}

/* "/usr/local/web" of "/usr/local/web/bin/x": the first that is nobody's in common. */
static char *prefix_of(const char *path)
{
	static const char *const kinds[] = {"bin", "sbin", "lib", "lib64", "libexec"};

	for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		size_t n = strcspn(p + 1, "/");
		CLEANUP_STR char *prefix = xstrndup(path, (size_t)(p - path));
		if (!p[1 + n])
			break; /* the program itself */
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
			if (strlen(kinds[i]) == n && strncmp(p + 1, kinds[i], n) == 0 &&
			    !place_never_whole(prefix))
				return steal_ptr(prefix);
	}
	return NULL;
}

/* Without a database every program would be unpackaged: then only what stands in /usr/local is. */
static bool unpackaged(struct derive *d, const char *path)
{
	const struct packages *all = packages_of(d);

	if (streq(packages_kind(all), "none") && !path_within(path, "/usr/local"))
		return false;
	return packages_owner(all, path) == NULL;
}

void derive_find_prefixes(struct derive *d)
{
	for (const struct touch *t = d->record ? d->record->touches : NULL; t; t = t->hh.next) {
		if (!S_ISREG(t->found) || !(t->kinds & TOUCH_EXEC) || place_private_area(t->path) ||
		    path_within(t->path, "/etc"))
			continue;
		CLEANUP_STR char *prefix = prefix_of(t->path);
		CLEANUP_STR char *content = place_content_dir(t->path);
		if (prefix && !content && !strv_has(&d->prefixes, prefix) && unpackaged(d, t->path))
			strv_add(&d->prefixes, prefix);
	}
}

void derive_add_prefixes(struct derive *d)
{
	for (size_t i = 0; i < d->prefixes.n; i++)
		derive_add(d, d->prefixes.v[i], CLASS_CONTENT, false,
			   xasprintf("no package owns the programs in it: it is taken whole"));
}

bool derive_in_prefix(const struct derive *d, const char *path)
{
	for (size_t i = 0; i < d->prefixes.n; i++)
		if (path_within(path, d->prefixes.v[i]))
			return true;
	return false;
}
