/* SPDX-License-Identifier: MIT */
/* What the files of a visit share; for them alone. */
#pragma once

#include "confine/visit.h"

/* A detached, read-only copy of the host's @path with all that is mounted there. */
int visit_take(const char *path, struct err *e);

/* Makes the visitor's root of "/" and what was taken, and goes there: in a mount namespace of the
 * visitor's own. @trees are as v->trees; @loader is -1 where none is needed. */
int visit_root(const struct visit *v, const int *trees, int loader, struct err *e);

/* Names right in directory @fd. 0 or -errno. */
int visit_names(int fd, struct strv *ret);

/* Gives up what the visitor is not to have. From here on no process of the visit can have fewer
 * rights than this. */
int visit_reduce(struct err *e);

/* Kills all processes in the mount namespace with inode @ns, which the caller holds, by @proc, the
 * host's /proc. */
void visit_sweep(int proc, ino_t ns);
