/* SPDX-License-Identifier: MIT */
#include "jail/recall.h"

#include <sys/stat.h>

static bool is_held(const struct entry *en)
{
	return S_ISREG(en->mode) && entry_is_held(en);
}

static bool is_foreseen(const struct entry *en)
{
	for (size_t i = 0; i < en->n_reasons; i++)
		if (reason_is_foreseen(en->reasons[i].kind))
			return true;
	return false;
}

/* A look or a listing is no use of a file's content. */
static bool is_used(const struct entry *en)
{
	return en->used &&
	       (strstr(en->used, "read") || strstr(en->used, "exec") || strstr(en->used, "interp"));
}

static void add(struct cost *c, off_t size)
{
	c->files++;
	c->bytes += size;
}

void recall_measure(const struct manifest *m, const struct foresight *f, const struct layout *l,
		    struct recall *ret)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct entry *en = &m->v[i];
		if (!is_held(en) || !is_used(en))
			continue;
		add(&ret->exact, en->size);
		if (is_foreseen(en))
			ret->met++;
		else
			strv_add(&ret->missed, en->path);
	}
	for (const struct node *n = f->evidence->first; n; n = n->next) {
		const struct entry *en = manifest_find(m, n->path);
		bool known = en && (is_used(en) || !is_held(en));
		if (S_ISREG(n->st.st_mode) && !known && !layout_find(l, n->path))
			add(&ret->foreseen, n->st.st_size);
	}
}

void recall_done(struct recall *r)
{
	strv_done(&r->missed);
	*r = (struct recall)RECALL_INIT;
}
