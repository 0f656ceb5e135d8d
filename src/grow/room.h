/* SPDX-License-Identifier: MIT */
/* Space for what a twin copies: looked at before, because the scratch directory is usually on the
 * disk that the host itself lives on.
 *
 * At its first open for writing an overlay copies a file of the host as a whole, holes kept
 * (research/worlds.md): 1 GiB takes two seconds and a GiB, unless the file system can share blocks.
 * What a growth puts into its tree is always a copy. */
#pragma once

#include <sys/stat.h>

#include "base/err.h"

/* Smaller files are not worth a look. */
#define ROOM_FROM (16ll << 20)
/* What is left to everybody else. */
#define ROOM_LEFT (64ll << 20)

enum room_use {
	ROOM_WRITTEN, /* the service opens it for writing: the overlay copies it */
	ROOM_USED,    /* it is put into a jail that is grown */
};

/* Whether a copy of @path, which is @st, fits on the file system of the directory @scratch (NULL:
 * it does); -ENOSPC names it, its size, the space there is, and the choices. */
int room_for(const char *scratch, const char *path, const struct stat *st, enum room_use use,
	     struct err *e);
