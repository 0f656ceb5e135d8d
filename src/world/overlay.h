/* SPDX-License-Identifier: MIT */
/* Overlays, as a world uses them: a directory that can be changed without being touched. */
#pragma once

#include <stddef.h>

/* A detached mount that shows @dir (absolute, in the caller's mount namespace) and takes all
 * changes into directories that are made below @scratch; @n makes their names unique. @attr is
 * MOUNT_ATTR_RDONLY and its kin. Returns a descriptor or -errno. */
int overlay_mount(const char *scratch, size_t n, const char *dir, unsigned attr);
