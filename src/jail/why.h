/* SPDX-License-Identifier: MIT */
/* Why a path is in a jail: the chain of evidence from its entry in the manifest up to the service.
 *
 * Each entry has reasons, each reason may come from another path, that path's entry has reasons
 * again, until one comes from nothing: a command of the spec, a line of it, something made for the
 * jail. Manifests are data from disk: evidence may go in circles or lead out of the manifest, and a
 * chain ends all the same. Nothing here reads the jail's tree. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "jail/manifest.h"

/* One step: @path is there for @reason. The next step's path is what the reason comes from. */
struct why_step {
	char *path;
	struct reason reason; /* owned */
};

struct why_chain {
	struct why_step *v;
	size_t n;
	bool whole; /* the last step comes from nothing */
};
#define WHY_CHAIN_INIT                                                                             \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_WHY_CHAIN CLEANUP(why_chain_done)
void why_chain_done(struct why_chain *c);

/* Adds a step (all copied), for what no manifest has: an account, a place of the jail's own. */
void why_chain_add(struct why_chain *c, const char *path, enum reason_kind kind, const char *from,
		   const char *text);

/* Adds the steps from @path, which why_cover() must know, to the service. The first reason of each
 * entry counts, unless only another one leads on; chains that end at the spec are better than those
 * that just end. A path below a bound directory is there because of the directory. */
void why_chain_of(const struct manifest *m, const char *path, struct why_chain *ret);

/* The entry of @path itself, else that of the nearest directory above that is bound from the host,
 * and with it all that is in it; or NULL. @path as why_resolve() gives it. */
const struct entry *why_cover(const struct manifest *m, const char *path);

/* Only the directory above that is bound. */
const struct entry *why_bound_above(const struct manifest *m, const char *path);

/* Absolute @path as the service sees it: links of the manifest are followed, and those below bound
 * directories, which are read under @host (an O_PATH root, or -1: they are not). A part that the
 * jail lacks is taken for a directory. *ret is new; @links gets "/path -> target" for each link.
 * -ELOOP beyond 40 of them, as path_resolution(7). */
int why_resolve(const struct manifest *m, int host, const char *path, char **ret,
		struct strv *links);
