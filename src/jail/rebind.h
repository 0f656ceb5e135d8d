/* SPDX-License-Identifier: MIT */
/* What a start tells the keeper to watch, and what a reload mounts anew in a running jail.
 *
 * In the place of a link to content stands a mount of what it led to. When the link has been turned
 * to another release, a reload mounts that instead; who has the old one open keeps it, as natively.
 */
#pragma once

#include "confine/run.h"
#include "jail/layout.h"
#include "jail/manifest.h"
#include "keep/rotate.h"

/* The single files of @l for the keeper (keep/rotate.h): written ones, accounts that are the host's
 * own, and configuration that is kept as it is. Only the first are made where the host has none.
 * *ret is an array of the returned length, new, that borrows from @l. */
size_t rebind_files(const struct layout *l, struct rotate_spec **ret);

/* Links that lead elsewhere now. One that leads nowhere stays as it was. */
void rebind_links(const struct layout *l, const struct run *r);

/* Mounts @p, which the jail has a place for and nothing on it yet, from the host. 0 or -errno. */
int rebind_add(const struct provision *p, const struct run *r);

/* Covers foreign keys that are new, and uncovers what has become the service's own. @m and @dir are
 * the generation's. 0 or -errno. */
int rebind_masks(const struct layout *l, const struct manifest *m, const char *dir,
		 const struct run *r, struct err *e);
