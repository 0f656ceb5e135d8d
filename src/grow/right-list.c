/* SPDX-License-Identifier: MIT */
#include "grow/right-list.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/str.h"

static const char *const phases[] = {[PHASE_START] = "start",
				     [PHASE_EXERCISE] = "exercise",
				     [PHASE_STOP] = "stop",
				     [PHASE_ERRAND] = "errand"};

const char *phase_name(enum phase p)
{
	return phases[p];
}

int phase_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(phases); i++)
		if (streq(phases[i], name))
			return (int)i;
	return -1;
}

void right_list_done(struct right_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].why);
		free(l->v[i].by);
	}
	free(l->v);
	*l = (struct right_list)RIGHT_LIST_INIT;
}

const struct right *right_list_find(const struct right_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (streq(l->v[i].name, name))
			return &l->v[i];
	return NULL;
}

bool right_list_add(struct right_list *l, const char *name, const char *why, const char *by,
		    enum phase phase)
{
	if (right_list_find(l, name))
		return false;
	l->v = xrealloc(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = (struct right){
	    .name = xstrdup(name), .why = xstrdup(why), .by = xstrdup(by), .phase = phase};
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct right *)a)->name, ((const struct right *)b)->name);
}

void right_list_sort(struct right_list *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_name);
}
