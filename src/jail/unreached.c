/* SPDX-License-Identifier: MIT */
#include "jail/unreached.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/path.h"
#include "jail/log-use.h"

#define SHOWN 3

static bool peer_is_local(const struct peer *p)
{
	return str_after(p->address, "127.") || streq(p->address, "::1") ||
	       streq(p->address, "0.0.0.0") || streq(p->address, "::");
}

/* The host's own addresses are in the world too: what listens there may be the service itself. */
static bool bound_by_itself(const struct record *r, uint16_t port)
{
	for (size_t i = 0; i < r->n_peers; i++)
		if (r->peers[i].bound && r->peers[i].port == port)
			return true;
	return false;
}

void unreached_peers(const struct record *r, struct strv *ret)
{
	for (size_t i = 0; i < r->n_peers; i++) {
		const struct peer *p = &r->peers[i];
		if (p->bound || !p->port || peer_is_local(p) || bound_by_itself(r, p->port))
			continue;
		strv_take(ret, xasprintf(p->family == AF_INET6 ? "[%s]:%u" : "%s:%u", p->address,
					 p->port));
	}
	strv_sort_unique(ret);
}

/* A live socket of the host is out of sight in a world (world/leftovers.h). */
static bool is_socket(const struct touch *t)
{
	struct stat st;
	return S_ISSOCK(t->found) ||
	       (!t->found && lstat(t->path, &st) == 0 && S_ISSOCK(st.st_mode));
}

/* Sockets of others; /dev/log is everybody's and nobody waits for it. */
void unreached_sockets(const struct record *r, struct strv *ret)
{
	for (const struct touch *t = r->touches; t; t = t->hh.next)
		if (t->kinds & TOUCH_CONNECT && !(t->kinds & TOUCH_BIND) && is_socket(t) &&
		    !streq(t->path, LOG_SOCKET))
			strv_add(ret, t->path);
	strv_sort_unique(ret);
}

static char *joined(const struct strv *names)
{
	char *all = xstrdup("");

	for (size_t i = 0; i < names->n && i < SHOWN; i++) {
		char *more = xasprintf("%s%s%s", all, i ? ", " : "", names->v[i]);
		free(all);
		all = more;
	}
	return str_printable(all);
}

char *unreached_text(const struct record *r)
{
	struct strv peers CLEANUP_STRV = STRV_INIT, sockets CLEANUP_STRV = STRV_INIT;

	unreached_peers(r, &peers);
	unreached_sockets(r, &sockets);
	CLEANUP_STR char *tried = joined(&peers);
	CLEANUP_STR char *named = joined(&sockets);
	CLEANUP_STR char *first = xstrdup(sockets.n ? sockets.v[0] : "");
	CLEANUP_STR char *network =
	    peers.n ? xasprintf("; it tried %s, which a build does not reach: start what it needs "
				"in the twin's world (ExecStartPre=), or use --net host, riskier",
				tried)
		    : xstrdup("");
	return sockets.n
		   ? xasprintf("%s; it tried the socket %s of another service: Socket=%s=bind "
			       "in [Jail] gives it that",
			       network, named, str_printable(first))
		   : xstrdup(network);
}
