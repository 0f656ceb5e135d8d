/* SPDX-License-Identifier: MIT */
/* What live processes left in the host's file systems and means nothing in a world: their sockets,
 * which nobody serves there, and their pid files below /run, which name processes that are not
 * there. Left standing, they are in the way of a twin that binds the same name, and a client gets
 * another error than after a clean boot. */
#pragma once

#include "base/str.h"

/* Adds the paths of unix sockets that processes of this network namespace have bound, wherever, and
 * of all sockets and pid files below /run: whose network namespace is another's are told by that.
 */
void leftovers_observe(struct strv *ret);

/* Removes those of @paths below the root @root of a world; never of the host. */
void leftovers_remove(int root, const struct strv *paths);
