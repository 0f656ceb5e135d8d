/* SPDX-License-Identifier: MIT */
/* Single names inside of directories, where the directory alone is not enough to say how they
 * reach the jail. */
#include "base/alloc.h"
#include "base/path.h"
#include "host/host.h"
#include "host/places.h"
#include "jail/layout-parts.h"

/* The directory to bind for what stands at @end: NULL where that is no content. */
static char *content_of(const char *end, const struct stat *st)
{
	CLEANUP_STR char *dir = place_content_at(end, S_ISDIR(st->st_mode));
	return dir && !place_never_whole(dir) ? steal_ptr(dir) : NULL;
}

/* A bound directory shows its links as they are: what they lead to must be there too. */
static void add_inside(struct derive *d, const struct touch *t, const char *end,
		       const struct stat *st)
{
	CLEANUP_STR char *dir = content_of(end, st);

	layout_own(d->l, t->path);
	if (dir && !layout_find(d->l, end))
		derive_add(d, dir, CLASS_CONTENT, false, xasprintf("%s leads to %s", t->path, end));
}

void derive_link(struct derive *d, const struct touch *t)
{
	CLEANUP_STR char *end = NULL;
	struct stat st;

	if (!S_ISLNK(t->found) || !(t->kinds & TOUCH_LINK) || place_program_tree(t->path) ||
	    place_kernel_tree(t->path) || place_private_area(t->path) ||
	    host_resolve(d->host, t->path, &end, &st, NULL) < 0 || streq(end, t->path))
		return;
	const struct provision *p = layout_find(d->l, t->path);
	if (p && !p->file && !p->link) {
		add_inside(d, t, end, &st);
		return;
	}
	CLEANUP_STR char *dir = content_of(end, &st);
	const struct provision *at = layout_find(d->l, end);
	if (p || path_within(t->path, "/etc") || !S_ISDIR(st.st_mode) || !dir ||
	    (at && at->writable))
		return;
	struct provision *link = derive_put(
	    d, t->path, CLASS_CONTENT, false,
	    xasprintf("a link that leads to %s: followed anew at each start and reload", end));
	link->link = true;
	link->file = link->create = false;
}

static const struct provision *written_config(const struct derive *d, const char *path)
{
	const struct provision *p = layout_find(d->l, path);
	bool wanted = p && d->spec && strv_has(&d->spec->state, p->path);

	return p && p->writable && !p->file && !wanted && path_within(path, "/etc") ? p : NULL;
}

/* Whether only the directory lets the service change the file, by renaming another over it. */
static bool protected_by_mode(const struct derive *d, const char *path)
{
	struct stat st;

	if (!derive_exists(d->host, path, &st) || !S_ISREG(st.st_mode) ||
	    st.st_mode & (S_IWGRP | S_IWOTH))
		return false;
	return d->uid ? st.st_uid != d->uid : st.st_uid == 0;
}

void derive_keep(struct derive *d, const struct touch *t)
{
	const struct provision *p = written_config(d, t->path);

	if (!p || !S_ISREG(t->found) || !(t->kinds & TOUCH_READ) || t->kinds & DERIVE_WRITTEN ||
	    !protected_by_mode(d, t->path))
		return;
	char *why = xasprintf("read in %s, and never written: it stays as it is", p->path);
	derive_put(d, t->path, CLASS_CONFIG, false, why);
}

static bool is_kept(const struct provision *p)
{
	return p->file && !p->writable && p->class == CLASS_CONFIG;
}

void derive_unkeep(struct derive *d)
{
	for (size_t i = d->l->n; d->record && i-- > 0;) {
		const struct touch *t =
		    is_kept(&d->l->v[i]) ? record_find(d->record, d->l->v[i].path) : NULL;
		CLEANUP_STR char *up = t ? path_parent(t->path) : NULL;
		if (!t || !(t->kinds & DERIVE_WRITTEN) || !written_config(d, up))
			continue;
		derive_remove_at(d->l, i);
		d->added++;
	}
}
