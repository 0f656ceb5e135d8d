/* SPDX-License-Identifier: MIT */
/* From a layout to the mounts of a plan. */
#pragma once

#include "confine/plan.h"
#include "jail/lay.h"
#include "jail/layout.h"

/* Lays what mounts of either kind need to lie on. */
int mounts_points(struct lay *l, const struct layout *layout, struct err *e);

/* A tree being grown: writable, with /proc, /dev, /sys and the layout's binds. */
int mounts_growth(struct plan *p, const struct layout *layout, struct err *e);

/* A sealed tree: read-only; /run, /tmp and /var/tmp in private memory with what the manifest of the
 * generation in @dir has there; single files of /sys. */
int mounts_sealed(struct plan *p, const struct layout *layout, const char *dir, struct err *e);
