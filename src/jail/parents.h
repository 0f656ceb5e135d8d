/* SPDX-License-Identifier: MIT */
/* The directories above a jail: whoever may write in one of them may put another jail in its place.
 */
#pragma once

#include "base/str.h"

/* Adds a line for @dir and each directory above it, links followed, that another than root owns or
 * may make and remove names in. One with the sticky bit may be everybody's: what is root's in it
 * stays root's. */
void parents_loose(const char *dir, struct strv *ret);
