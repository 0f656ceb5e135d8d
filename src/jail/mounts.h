/* SPDX-License-Identifier: MIT */
/* From a layout to the mounts of a plan. */
#pragma once

#include "confine/plan.h"
#include "grow/record.h"
#include "jail/lay.h"
#include "jail/layout.h"
#include "spec/spec.h"

/* @source (O_PATH) is the root that the binds come from: the host's or a world's. What is a link
 * there to a directory of content (struct provision.link) is mounted from where it leads now. */

/* Lays what mounts of either kind need to lie on. */
int mounts_points(struct lay *l, const struct layout *layout, struct err *e);

/* A tree being grown: writable, with /proc, /dev, /sys and the layout's binds. */
int mounts_growth(struct plan *p, const struct layout *layout, int source, struct err *e);

/* A sealed tree: read-only; /run, /tmp and /var/tmp in private memory with what the manifest of the
 * generation in @dir has there; single files of /sys; foreign keys covered (masks.h) by the empty
 * file @dir/masked, made where it is not there yet; narrowed as @s says. */
int mounts_sealed(struct plan *p, const struct layout *layout, const char *dir,
		  const struct spec *s, int source, struct err *e);

/* Whether @path lies in what is private memory in every jail: /run, /tmp, /var/tmp. */
bool mounts_in_memory(const char *path);

/* What of @l ReadOnlyPaths= makes read-only, for whoever mounts single files of it anew. */
void mounts_narrow_layout(struct layout *l, const struct spec *s, int source);

/* ReadOnlyPaths=, NoExecPaths= with ExecPaths=, and InaccessiblePaths= of @s: the last of it. */
int mounts_narrow(struct plan *p, const struct spec *s, const char *dir, int source, struct err *e);

/* A line for people about the programs that @run executed and NoExecPaths= of @s takes, if any. */
void mounts_narrow_conflicts(const struct spec *s, const struct record *run, int source,
			     struct strv *ret);
