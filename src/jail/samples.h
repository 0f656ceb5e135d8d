/* SPDX-License-Identifier: MIT */
/* Sample=DIR=...: what a twin gets in the place of a state directory.
 *
 *   PATH      that directory of the host, copy on write
 *   empty     nothing, with the owner and mode of DIR
 *   snapshot  DIR at one moment, the same for all twins of the build (jail/snapshot.h), copy on
 *             write
 *   live      DIR itself, copy on write, though somebody may be writing in it
 *
 * And BindPaths=: what a twin may meet of the host that lives. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "spec/spec.h"
#include "world/world.h"

/* The sample that stands for @path (the longest DIR at or above it), or -1; *ret_dir (may be NULL)
 * is DIR, new. */
int sample_for(const struct spec *s, const char *path, char **ret_dir);

/* Whether @path is at or below a BindPaths= or BindReadOnlyPaths=: their owner wants the service to
 * meet others there. */
bool sample_is_bound(const struct spec *s, const char *path);

/* Puts all samples of @s into the world @w, the live sockets that its BindPaths= name, and what it
 * shares by name. @scratch
 * is this twin's own directory, right below that of the build. */
int samples_put(const struct spec *s, const struct world *w, const char *scratch, struct err *e);

/* Removes what samples_put() made outside the world (snapshots); @build is the build's own
 * directory. Safe where it made nothing. */
void samples_drop(const struct spec *s, const char *build);
