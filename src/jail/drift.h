/* SPDX-License-Identifier: MIT */
/* What the host has become since a generation was sealed. */
#pragma once

#include <stdbool.h>

#include "jail/manifest.h"

/* Whether the host still has what was copied, by metadata and file capabilities; true for what is
 * not copied from there. @host is an O_PATH "/". */
bool drift_same(int host, const struct entry *en);

/* The same by content, mode and owner: a file that was only touched, or installed again as it was,
 * is no other. */
bool drift_same_content(int host, const struct entry *en);
