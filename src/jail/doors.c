/* SPDX-License-Identifier: MIT */
#include "jail/doors.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/path.h"
#include "host/holders.h"
#include "host/places.h"
#include "jail/unreached.h"

void doors_done(struct doors *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].path);
		free(d->v[i].server);
		free(d->v[i].package);
	}
	free(d->v);
	*d = (struct doors){0};
}

/* The part before the last "=", canonical as far as the host has it. */
static char *socket_of(const char *line)
{
	CLEANUP_STR char *path = xstrndup(line, (size_t)(strrchr(line, '=') - line));
	CLEANUP_STR char *up = path_parent(path);
	CLEANUP_STR char *real = realpath(up, NULL); /* /var/run */

	return path_join(real ? real : up, path_base(path));
}

/* What @s says of the socket @path; the last line counts. */
static enum socket_choice choice_of(const struct spec *s, const char *path)
{
	enum socket_choice choice = SOCKET_UNDECIDED;

	for (size_t i = 0; i < s->sockets.n; i++) {
		CLEANUP_STR char *named = socket_of(s->sockets.v[i]);
		if (streq(named, path))
			choice = spec_socket_choice(s->sockets.v[i]);
	}
	return choice;
}

/* The server may have given the name through a link such as /var/run. */
static void find_server(struct door *d, const struct packages *p)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	struct holders found CLEANUP_HOLDERS = HOLDERS_INIT;

	strv_take(&names, xasprintf("unix:%s", d->path));
	if (path_within(d->path, "/run"))
		strv_take(&names, xasprintf("unix:/var%s", d->path));
	if (holders_listening(&names, &found) < 0 || !found.n)
		return;
	d->server = holder_text(&found.v[0]);
	const struct package *owner =
	    p && found.v[0].program ? packages_owner(p, found.v[0].program) : NULL;
	d->package = owner ? xstrdup(owner->name) : NULL;
}

void doors_find(const struct record *r, const struct spec *s, const struct layout *l,
		const struct packages *p, struct doors *ret)
{
	struct strv paths CLEANUP_STRV = STRV_INIT;

	unreached_sockets(r, &paths);
	for (size_t i = 0; i < paths.n; i++) {
		enum socket_choice choice = choice_of(s, paths.v[i]);
		if (choice == SOCKET_IGNORE)
			continue;
		const struct provision *at = layout_find(l, paths.v[i]);
		struct door d = {.path = xstrdup(paths.v[i]), .reachable = at != NULL};
		d.decided = choice != SOCKET_UNDECIDED || at;
		find_server(&d, p);
		ret->v = xrealloc(ret->v, ret->n + 1, sizeof(*ret->v));
		ret->v[ret->n++] = d;
	}
}

int doors_check(const struct spec *s, const struct layout *l, struct err *e)
{
	for (size_t i = 0; i < s->sockets.n; i++) {
		CLEANUP_STR char *path = socket_of(s->sockets.v[i]);
		const struct provision *at = layout_find(l, path);
		if (choice_of(s, path) != SOCKET_REFUSE || !at)
			continue;
		return err_set(e, -EINVAL,
			       "Socket=%s=refuse: the jail would have it, by %s (%s). Take that "
			       "away, or let the socket's server make it elsewhere",
			       path, at->path, at->why);
	}
	return 0;
}

void doors_bound(const struct spec *s, struct strv *ret)
{
	for (size_t i = 0; i < s->sockets.n; i++) {
		CLEANUP_STR char *path = socket_of(s->sockets.v[i]);
		CLEANUP_STR char *dir = path_parent(path);
		if (choice_of(s, path) == SOCKET_BIND)
			strv_take(ret, place_never_whole(dir) ? steal_ptr(path) : steal_ptr(dir));
	}
}
