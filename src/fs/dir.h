/* SPDX-License-Identifier: MIT */
/* Directory entries. */
#pragma once

#include "base/str.h"

/* Adds the names in the open directory @fd, "." and ".." left out, sorted. 0 or -errno. */
int dir_names(int fd, struct strv *ret);
