/* SPDX-License-Identifier: MIT */
#include "jail/require.h"

#include <errno.h>

#include "confine/host-walls.h"

static const struct host_wall *find(const char *name)
{
	size_t n;
	const struct host_wall *walls = host_walls(&n);

	for (size_t i = 0; i < n; i++)
		if (streq(walls[i].name, name))
			return &walls[i];
	return NULL;
}

int require_check(const struct spec *s, struct err *e)
{
	for (size_t i = 0; i < s->require.n; i++) {
		const struct host_wall *w = find(s->require.v[i]);
		if (!w)
			return err_set(
			    e, -EINVAL,
			    "Require=%s: there is no such wall; immure check --host lists "
			    "them",
			    s->require.v[i]);
		if (host_wall_try(w) < 0)
			return err_set(
			    e, -EOPNOTSUPP,
			    "Require=%s: this kernel lacks that wall (it came with Linux %s)",
			    w->name, w->since);
	}
	return 0;
}

void require_missing(struct strv *ret)
{
	size_t n;
	const struct host_wall *walls = host_walls(&n);

	for (size_t i = 0; i < n; i++)
		if (walls[i].kind == WALL_EXTRA && host_wall_try(&walls[i]) < 0)
			strv_add(ret, walls[i].name);
}

void require_came(const struct strv *lacking, struct strv *ret)
{
	for (size_t i = 0; i < lacking->n; i++) {
		const struct host_wall *w = find(lacking->v[i]);
		if (w && host_wall_try(w) == 0)
			strv_add(ret, w->name);
	}
}
