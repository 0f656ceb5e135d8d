/* SPDX-License-Identifier: MIT */
/* Work with twins, done in a child while the parent only waits. Whichever of the two is killed, the
 * other removes the scratch directory: nothing of it is left behind (the kernel takes the
 * namespaces, and the processes in them, with whoever made them). */
#pragma once

#include "cmd/cmd.h"
#include "jail/build.h"
#include "jail/scratch.h"
#include "spec/spec.h"

/* Returns the command's exit status. */
typedef int (*apart_work)(const struct invocation *in, const struct scratch *scratch,
			  const void *arg);

/* Does @work for the jail of @s, in a scratch directory of its own; its exit status. TERM, INT and
 * HUP set twin_interrupted. */
int apart_run(const struct invocation *in, const struct spec *s, apart_work work, const void *arg);

/* What tells people at a terminal which twin runs, or NULL; and what wipes that line away. */
trial_progress apart_progress(const struct invocation *in);
void apart_clear(const struct invocation *in);
