/* SPDX-License-Identifier: MIT */
/* What a jail that runs has come to need since it was sealed: a module that was switched on, a
 * site's directory, an interpreter that a new script names.
 *
 * Foresight is asked again, with the host's configuration as it is now. Files that the generation
 * lacks are laid into its tree from outside, where they are seen at once below the jail's read-only
 * mount; directories are mounted. Nothing is ever taken away: who has the old in use keeps it. What
 * a run would have to learn (rights, walls) stays as it was proved: that is a build's. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "confine/run.h"
#include "jail/generation.h"

/* Whether the host's configuration of @g has changed since foresight was asked last: a start asks
 * again only then. */
bool extend_due(const struct generation *g);

/* Brings generation @g, which is what @r runs (NULL: nothing yet, a start will mount), to what its
 * spec @s needs now; the manifest and the layout on disk follow. Adds to @added a line for each new
 * path, with its first reason. With Closure=exact nothing is foreseen. */
int extend_jail(struct generation *g, const struct spec *s, const struct run *r, struct strv *added,
		struct err *e);
