/* SPDX-License-Identifier: MIT */
/* Sockets of other services (a database, saslauthd, a milter, D-Bus) that the service tried to
 * reach in a build: doors, and what was decided about each. Socket=PATH=WORD of the spec says it:
 *
 *   bind    it may: the directory of the socket is bound, read-only, since a bound socket file is
 *           dead once its server restarts; in builds the live socket is open to the twins
 *   refuse  it never may: a jail that would have it is not built
 *   ignore  nobody wants to hear of it
 *
 * Without a line it is not reached, unless a directory that the jail has for another reason shows
 * it, and listed as undecided. */
#pragma once

#include "base/err.h"
#include "grow/record.h"
#include "host/packages.h"
#include "jail/layout.h"
#include "spec/spec.h"

struct door {
	char *path;
	char *server;	/* who listens: "mariadbd (pid 812, mariadb.service)"; NULL: nobody now */
	char *package;	/* that owns its program, or NULL */
	bool reachable; /* the jail has it */
	bool decided;	/* a line of the spec names it, or BindPaths= the place */
};

struct doors {
	struct door *v;
	size_t n;
};
#define CLEANUP_DOORS CLEANUP(doors_done)
void doors_done(struct doors *d);

/* Adds what the run of @r tried to connect to and @s does not ignore, sorted by path. @p may be
 * NULL. */
void doors_find(const struct record *r, const struct spec *s, const struct layout *l,
		const struct packages *p, struct doors *ret);

/* -EINVAL where @l has a socket that @s refuses, with the directory that shows it. */
int doors_check(const struct spec *s, const struct layout *l, struct err *e);

/* What Socket=...=bind of @s asks for: directories, and sockets that stand in one of everybody. */
void doors_bound(const struct spec *s, struct strv *ret);
