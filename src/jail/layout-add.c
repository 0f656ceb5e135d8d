/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "jail/boot-dirs.h"
#include "jail/layout-parts.h"

void derive_done(struct derive *d)
{
	packages_free(d->packages);
	strv_done(&d->sources);
	strv_done(&d->prefixes);
}

bool derive_exists(int root, const char *path, struct stat *st)
{
	return beneath_lstat(root, path, st) == 0;
}

enum jail_class derive_written_class(const char *path)
{
	if (path_within(path, "/var/log"))
		return CLASS_LOG;
	return path_within(path, "/run") ? CLASS_OFFERED : CLASS_STATE;
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

/* The mode of what a start makes on the host: never set-id, whatever the twin made of it. */
static mode_t made_mode(mode_t mode)
{
	if (!mode)
		return 0755;
	return mode & (S_ISDIR(mode) ? 03777 : 0777);
}

/* What a start makes on the host: what stands there now or what the twin made; but for a directory
 * that is not there now, a boot may have another opinion. */
static void set_making(const struct derive *d, struct provision *p)
{
	struct stat st = {0};
	struct boot_dir boot;
	bool there = derive_exists(d->host, p->path, &st);

	if (!there)
		derive_exists(d->world, p->path, &st);
	p->file = st.st_mode && !S_ISDIR(st.st_mode);
	p->create = !there || (!p->file && path_within(p->path, "/run"));
	p->mode = made_mode(st.st_mode);
	p->uid = st.st_uid;
	p->gid = st.st_gid;
	if (there || p->file || !boot_dir_find(d->host, p->path, &boot))
		return;
	p->mode = boot.mode;
	p->uid = boot.uid;
	p->gid = boot.gid;
}

struct provision *derive_put(struct derive *d, const char *path, enum jail_class class,
			     bool writable, char *why)
{
	struct layout *l = d->l;

	l->v = xrealloc(l->v, l->n + 1, sizeof(*l->v));
	struct provision *p = &l->v[l->n++];
	*p = (struct provision){
	    .path = xstrdup(path), .class = class, .writable = writable, .why = why};
	set_making(d, p);
	d->added++;
	return p;
}

struct provision *derive_add(struct derive *d, const char *path, enum jail_class class,
			     bool writable, char *why)
{
	struct provision *p = find_exact(d->l, path);
	struct provision *above = p ? NULL : find_exact(d->l, covering(d->l, path));

	if (above && !above->file && (above->writable || !writable)) {
		free(why);
		return above;
	}
	if (!p)
		return derive_put(d, path, class, writable, why);
	free(why);
	if (writable && !p->writable) {
		p->writable = true;
		p->class = class;
		d->added++;
	}
	return p;
}

void derive_remove_at(struct layout *l, size_t i)
{
	free(l->v[i].path);
	free(l->v[i].source);
	free(l->v[i].why);
	l->n--;
	memmove(&l->v[i], &l->v[i + 1], (l->n - i) * sizeof(*l->v));
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct provision *)a)->path, ((const struct provision *)b)->path);
}

/* Whether @a, above @b, gives as much: not what stands elsewhere on the host. A single file that is
 * read-only in a directory that is not is there to stay so. */
static bool gives(const struct provision *a, const struct provision *b)
{
	bool kept = b->source || (a->writable && b->file && !b->writable);
	return !a->file && path_within(b->path, a->path) && !kept && (a->writable || !b->writable);
}

void derive_simplify(struct layout *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_path);
	for (size_t i = 0; i < l->n; i++)
		for (size_t j = i + 1; j < l->n;) {
			if (gives(&l->v[i], &l->v[j]))
				derive_remove_at(l, j);
			else
				j++;
		}
}
