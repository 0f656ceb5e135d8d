/* SPDX-License-Identifier: MIT */
#include "jail/diff.h"

#include <stdlib.h>

#include "base/alloc.h"

void changes_done(struct changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].what);
		free(c->v[i].text);
	}
	free(c->v);
	*c = (struct changes){0};
}

/* Takes both texts over. */
static void add(struct changes *c, enum change_kind kind, char *what, char *text)
{
	c->v = xrealloc(c->v, c->n + 1, sizeof(*c->v));
	c->v[c->n++] = (struct change_row){.kind = kind, .what = what, .text = text};
}

/* "NAME VERSION" of every package that a file came from, sorted, each once. */
static void packages_of(const struct manifest *m, struct strv *ret)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].package && m->v[i].version && entry_is_held(&m->v[i]))
			strv_take(ret, xasprintf("%s %s", m->v[i].package, m->v[i].version));
	strv_sort_unique(ret);
}

static const char *version_in(const struct strv *packages, const char *line)
{
	size_t name = strcspn(line, " ") + 1;

	for (size_t i = 0; i < packages->n; i++)
		if (strncmp(packages->v[i], line, name) == 0)
			return packages->v[i] + name;
	return NULL;
}

static void diff_packages(const struct manifest *a, const struct manifest *b, struct changes *ret)
{
	struct strv before CLEANUP_STRV = STRV_INIT, after CLEANUP_STRV = STRV_INIT;

	packages_of(a, &before);
	packages_of(b, &after);
	for (size_t i = 0; i < before.n; i++) {
		const char *line = before.v[i], *now = version_in(&after, line);
		const char *old = line + strcspn(line, " ") + 1;
		char *what = xasprintf("package %.*s", (int)strcspn(line, " "), line);
		if (!now)
			add(ret, CHANGE_REMOVED, what, xstrdup(old));
		else if (!streq(now, old))
			add(ret, CHANGE_CHANGED, what, xasprintf("%s to %s", old, now));
		else
			free(what);
	}
	for (size_t i = 0; i < after.n; i++) {
		const char *line = after.v[i];
		if (!version_in(&before, line))
			add(ret, CHANGE_ADDED,
			    xasprintf("package %.*s", (int)strcspn(line, " "), line),
			    xstrdup(line + strcspn(line, " ") + 1));
	}
}

static void rights_only_in(const struct right_list *in, const struct right_list *other,
			   enum change_kind kind, struct changes *ret)
{
	for (size_t i = 0; i < in->n; i++)
		if (!right_list_find(other, in->v[i].name))
			add(ret, kind, xasprintf("right %s", in->v[i].name), xstrdup(in->v[i].why));
}

static char *difference(const struct entry *a, const struct entry *b)
{
	if ((a->mode ^ b->mode) & S_IFMT)
		return xasprintf("%s to %s", mode_type(a->mode), mode_type(b->mode));
	if (a->mode != b->mode)
		return xasprintf("mode %04o to %04o", a->mode & 07777, b->mode & 07777);
	if (a->uid != b->uid || a->gid != b->gid)
		return xasprintf("owner %u:%u to %u:%u", a->uid, a->gid, b->uid, b->gid);
	if (a->link && b->link && !streq(a->link, b->link))
		return xasprintf("link to %s, now to %s", a->link, b->link);
	if (a->sha256 && b->sha256 && !streq(a->sha256, b->sha256))
		return xasprintf("content, %lld to %lld bytes", (long long)a->size,
				 (long long)b->size);
	return NULL;
}

static void diff_paths(const struct manifest *a, const struct manifest *b, struct changes *ret)
{
	size_t i = 0, k = 0;

	while (i < a->n || k < b->n) {
		int order = i == a->n ? 1 : k == b->n ? -1 : strcmp(a->v[i].path, b->v[k].path);
		if (order < 0) {
			add(ret, CHANGE_REMOVED, xstrdup(a->v[i++].path), xstrdup(""));
		} else if (order > 0) {
			add(ret, CHANGE_ADDED, xstrdup(b->v[k].path),
			    xstrdup(entry_reason(&b->v[k])));
			k++;
		} else {
			char *text = difference(&a->v[i], &b->v[k]);
			if (text)
				add(ret, CHANGE_CHANGED, xstrdup(a->v[i].path), text);
			i++;
			k++;
		}
	}
}

int diff_generations(const struct generation *a, const struct generation *b, struct changes *ret,
		     struct err *e)
{
	struct manifest before CLEANUP_MANIFEST = MANIFEST_INIT;
	struct manifest after CLEANUP_MANIFEST = MANIFEST_INIT;
	int r = manifest_load(a->dir, &before, e);

	if (r == 0)
		r = manifest_load(b->dir, &after, e);
	if (r < 0)
		return r;
	diff_packages(&before, &after, ret);
	rights_only_in(&a->policy, &b->policy, CHANGE_REMOVED, ret);
	rights_only_in(&b->policy, &a->policy, CHANGE_ADDED, ret);
	if (!streq(a->spec_text, b->spec_text))
		add(ret, CHANGE_CHANGED, xstrdup("spec"), xstrdup("other settings"));
	diff_paths(&before, &after, ret);
	return 0;
}
