/* SPDX-License-Identifier: MIT */
#include "jail/native.h"

#include <errno.h>

#include "base/alloc.h"
#include "host/holders.h"
#include "host/idle.h"
#include "jail/samples.h"

/* "Stop it first": as its unit where that is a service, by its pid else; what pid 1 holds is a
 * socket unit's. */
static char *remedy(const struct holder *h)
{
	if (h->pid == 1)
		return xstrdup("systemctl list-sockets shows the unit to stop");
	if (h->unit && str_ends(h->unit, ".service"))
		return xasprintf("systemctl stop %.200s", h->unit);
	return xasprintf("kill %d", h->pid);
}

static int refuse(const struct spec *s, const struct holder *h, const char *does, const char *what,
		  struct err *e)
{
	CLEANUP_STR char *who = holder_text(h);
	CLEANUP_STR char *how = remedy(h);
	CLEANUP_STR char *object = str_printable(xstrdup(what));

	return err_set(e, -EBUSY,
		       "%s is running outside the jail: %.300s %s%.300s. Stop it first (%s), then "
		       "immure start %s",
		       h->name, who, does, object, how, s->name);
}

static int nobody_listens(const struct generation *g, const struct spec *s,
			  const struct passed *passed, struct err *e)
{
	struct strv own CLEANUP_STRV = STRV_INIT;
	struct holders h CLEANUP_HOLDERS = HOLDERS_INIT;

	for (size_t i = 0; i < g->listeners.n; i++)
		if (!passed_has(passed, s, g->listeners.v[i]))
			strv_add(&own, g->listeners.v[i]);
	int r = own.n ? holders_listening(&own, &h) : 0;

	if (r < 0)
		return err_errno(e, r, "looking for who listens on this host");
	return h.n ? refuse(s, &h.v[0], "listens on ", h.v[0].what, e) : 0;
}

static bool is_state(const struct generation *g, const struct spec *s, const char *path)
{
	const struct provision *p = layout_find(&g->layout, path);

	return p && p->class == CLASS_STATE && p->writable && !sample_is_bound(s, path);
}

static void list_state(const struct generation *g, const struct spec *s, struct strv *ret)
{
	for (size_t i = 0; i < g->layout.n; i++)
		if (is_state(g, s, g->layout.v[i].path))
			strv_add(ret, provision_source(&g->layout.v[i]));
}

/* To look into every process's descriptors takes time that most starts can save. */
static int nobody_writes(const struct generation *g, const struct spec *s, struct err *e)
{
	struct strv state CLEANUP_STRV = STRV_INIT;
	struct holders h CLEANUP_HOLDERS = HOLDERS_INIT;

	list_state(g, s, &state);
	int r = idle_trees(&state) ? 0 : holders_writing(&h);
	if (r < 0)
		return err_errno(e, r, "looking for who writes to the service's state");
	for (size_t i = 0; i < h.n; i++)
		if (is_state(g, s, h.v[i].what))
			return refuse(s, &h.v[i], "has open for writing ", h.v[i].what, e);
	return 0;
}

static int nobody_is_it(const struct spec *s, const struct command_set *c, struct err *e)
{
	struct holders h CLEANUP_HOLDERS = HOLDERS_INIT;
	int r = holders_running(c->main.program, c->main.argv.v, &h);

	if (r < 0)
		return err_errno(e, r, "looking for who runs %s", c->main.program);
	return h.n ? refuse(s, &h.v[0], "is the same command, ", c->main.program, e) : 0;
}

int native_absent(const struct generation *g, const struct spec *s, const struct command_set *c,
		  const struct passed *passed, struct err *e)
{
	int r = nobody_listens(g, s, passed, e);

	if (r == 0)
		r = nobody_is_it(s, c, e);
	return r == 0 ? nobody_writes(g, s, e) : r;
}
