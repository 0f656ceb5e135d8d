/* SPDX-License-Identifier: MIT */
/* Directories that jails share by name: BindPaths=@LABEL:/path/in/the/jail.
 *
 * STATE/shared/LABEL on the host, made at the first start of a jail that names it, as Shared=LABEL=
 * says or else for the service's user alone. A queue that one jail fills and another empties, or
 * the directory of a socket. Each jail that names it has it, at a path of its own choice; nobody
 * else but the host's root. In a build it is copy on write, as all state; live sockets in it are
 * open to the twin. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "jail/layout.h"
#include "keep/dirs.h"
#include "spec/spec.h"
#include "world/world.h"

/* Whether @bind, a word of BindPaths=, names one. */
static inline bool label_is(const char *bind)
{
	return bind[0] == '@';
}

/* Adds the provisions of @s that are shared by name, with `source` and how it is made. -EEXIST
 * where a directory is there already, for somebody else than Shared= of @s says. */
int labels_read(const struct spec *s, struct layout *ret, struct err *e);

/* STATE/shared/LABEL of @bind, new. */
char *label_source(const char *bind);

/* Lets the paths in @w be what a start would make them, in the copies of that world. */
int labels_put(const struct spec *s, const struct world *w, struct err *e);

/* The shared directories that jail @name has. */
void labels_of(const struct dirs *d, const char *name, struct strv *ret);

/* Removes those of @sources that no jail has any more, with all that is in them. */
int labels_remove(const struct dirs *d, const struct strv *sources, struct err *e);
