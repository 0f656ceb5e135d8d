/* SPDX-License-Identifier: MIT */
/* Single configuration files and secrets of a running jail, brought to what the host has now.
 *
 * They are copies. Each that differs is laid beside the old one in the generation's tree, from
 * outside, and renamed over it: below the jail's read-only mount that is seen at once, whole or not
 * at all (research/worlds.md, "Following configuration", d). The manifest follows in the same step.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "jail/generation.h"

/* Whether a reload renews @en; else it goes with its generation. */
bool refresh_takes(const struct entry *en);

/* Adds the paths that were renewed, and to @gone those that the host has no more (they stay). */
int refresh_config(const struct generation *g, struct strv *renewed, struct strv *gone,
		   struct err *e);
