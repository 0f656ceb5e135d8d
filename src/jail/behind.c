/* SPDX-License-Identifier: MIT */
#include "jail/behind.h"

#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "jail/drift.h"

void behind_done(struct behind_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].package);
		free(l->v[i].jail);
		free(l->v[i].host);
	}
	free(l->v);
	*l = (struct behind_list){0};
}

long behind_hours(int host, const char *path)
{
	CLEANUP_STR char *up = path_parent(path);
	struct stat st;

	if (beneath_lstat(host, path, &st) < 0 && beneath_lstat(host, up, &st) < 0)
		return 0;
	long hours = (long)(time(NULL) - st.st_ctim.tv_sec) / 3600;
	return hours > 0 ? hours : 0;
}

char *behind_since(long hours)
{
	return hours < 1 ? xstrdup("for less than an hour") : xasprintf("for %ld h", hours);
}

static struct behind *find(struct behind_list *l, const char *package)
{
	for (size_t i = 0; i < l->n; i++)
		if (streq(l->v[i].package, package))
			return &l->v[i];
	return NULL;
}

static void add(struct behind_list *l, const struct entry *en, const char *now, long hours)
{
	struct behind *old = find(l, en->package);

	if (old) {
		old->hours = hours > old->hours ? hours : old->hours;
		return;
	}
	l->v = xrealloc(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = (struct behind){.package = xstrdup(en->package),
				       .jail = xstrdup(en->version),
				       .host = xstrdup(now),
				       .hours = hours};
}

static int by_package(const void *a, const void *b)
{
	return strcmp(((const struct behind *)a)->package, ((const struct behind *)b)->package);
}

void behind_find(const struct manifest *m, int host, struct packages **packages,
		 struct behind_list *ret)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct entry *en = &m->v[i];
		if (!entry_is_held(en) || !en->package || !en->version ||
		    drift_same_content(host, en))
			continue;
		if (!*packages)
			*packages = packages_open(host, NULL);
		const struct package *p = packages_find(*packages, en->package);
		if (p && !streq(p->version, en->version))
			add(ret, en, p->version, behind_hours(host, en->path));
	}
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_package);
}
