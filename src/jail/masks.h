/* SPDX-License-Identifier: MIT */
/* Keys in a directory that is bound into the jail, and that are not the service's: each is covered
 * by an empty file.
 *
 * Which they are is looked up at every start and reload: a renewed certificate brings a key of
 * another name. A key stays visible when
 *   - a run has opened it, or the spec names it (Secret=);
 *   - a link that a run followed leads to it now (layout.own);
 *   - a file of the same configuration names it outside of comments: a site that is switched on
 *     tomorrow, or mail that no exercise has sent, must find its key. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "jail/layout.h"
#include "jail/manifest.h"

/* Adds the canonical paths of the foreign keys below the bound directories of /etc, and of other
 * directories of configuration, sorted. @root is the host's or a world's "/". Private keys and
 * password files are told by what is in them, containers of keys by their names. At most
 * MASKS_SCAN_MAX files are looked at; links are not followed. */
#define MASKS_SCAN_MAX 20000
void masks_find(const struct layout *l, const struct manifest *m, int root, struct strv *ret);

/* Whether it is one of those directories. */
bool masks_look_into(const struct provision *p);

/* What layout.own means on @root now: canonical, sorted. */
void masks_own(const struct layout *l, int root, struct strv *ret);

/* The file that covers foreign keys, empty and for nobody: it stands in the generation's directory
 * @dir beside its tree, and is made where it is not there yet. *ret is its path, new. */
int masks_file(const char *dir, char **ret, struct err *e);
