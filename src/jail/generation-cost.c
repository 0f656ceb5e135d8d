/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "jail/generation.h"

/* Entries that the store makes one file: all but the name is the same. */
static int by_object(const void *a, const void *b)
{
	const struct entry *x = *(const struct entry *const *)a;
	const struct entry *y = *(const struct entry *const *)b;
	int order = strcmp(x->sha256 ? x->sha256 : "", y->sha256 ? y->sha256 : "");

	if (order == 0)
		order = x->mtime.tv_sec < y->mtime.tv_sec ? -1 : x->mtime.tv_sec > y->mtime.tv_sec;
	if (order == 0)
		order =
		    x->mtime.tv_nsec < y->mtime.tv_nsec ? -1 : x->mtime.tv_nsec > y->mtime.tv_nsec;
	if (order == 0)
		order = x->mode < y->mode ? -1 : x->mode > y->mode;
	if (order == 0)
		order = x->uid < y->uid ? -1 : x->uid > y->uid;
	return order ? order : x->gid < y->gid ? -1 : x->gid > y->gid;
}

struct cost generation_cost(const struct manifest *m)
{
	const struct entry **files = xcalloc(m->n + 1, sizeof(*files));
	struct cost c = {0};

	for (size_t i = 0; i < m->n; i++)
		if (entry_is_held(&m->v[i]) && !S_ISDIR(m->v[i].mode))
			files[c.files++] = &m->v[i];
	qsort(files, c.files, sizeof(*files), by_object);
	for (size_t i = 0; i < c.files; i++)
		if (i == 0 || !files[i]->sha256 || by_object(&files[i - 1], &files[i]) != 0)
			c.bytes += files[i]->size;
	free(files);
	return c;
}
