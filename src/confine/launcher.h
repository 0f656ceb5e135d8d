/* SPDX-License-Identifier: MIT */
/* immure-launch, the program that confines and executes (launch/main.c): a small static one, so
 * that neither a start-up of the C library nor this program's memory stays behind in a jail.
 *
 *   caller --clone3--> a copy of the caller, which at once executes
 *                      immure-launch --init PLAN CTL GO    (numbers of inherited descriptors)
 *
 * What happens then is init.c's, child.c's and rootfs.c's: the same sources, linked without us. */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "confine/plan.h"

/* Opens it: beside the running program, as in a build directory, or where it was installed; where
 * it is in neither place, the copy that this program carries, in memory. */
int launcher_open(struct err *e);

/* @p as a packed plan in a sealed memory file; its descriptor. */
int launcher_image(const struct plan *p, struct err *e);

/* Executes @p's launcher on @image, in the process that is to be the init. Never returns. */
NORETURN void launcher_execute(const struct plan *p, int image, int ctl, int go);
