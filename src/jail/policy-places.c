/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/path.h"
#include "jail/policy.h"

static bool executed_below(const struct record *run, const char *dir)
{
	for (const struct touch *t = run->touches; t; t = t->hh.next)
		if (t->kinds & (TOUCH_EXEC | TOUCH_INTERP) && t->found != S_IFDIR &&
		    path_within(t->path, dir))
			return true;
	return false;
}

static void add_place(struct right_list *p, const struct provision *v, bool executed)
{
	CLEANUP_STR char *execution = xasprintf("exec:%s", v->path);
	CLEANUP_STR char *named =
	    xasprintf("%s is the host's own: it may come to name other ports", v->path);

	if (v->writable && executed)
		right_list_add(p, execution, "a program there was executed", "", PHASE_START);
	/* Edits and reloads go on as before. */
	if (v->class == CLASS_CONFIG && !v->file)
		right_list_add(p, "tcp:any", named, "", PHASE_START);
}

void policy_places(struct right_list *p, const struct layout *l, const struct record *baseline,
		   const struct record *growth)
{
	for (size_t i = 0; i < l->n; i++)
		add_place(p, &l->v[i],
			  executed_below(baseline, l->v[i].path) ||
			      executed_below(growth, l->v[i].path));
	right_list_sort(p);
}
