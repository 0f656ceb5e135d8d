/* SPDX-License-Identifier: MIT */
/* The small programs that go with this one. */
#pragma once

#include "base/err.h"

/* Opens @program: beside the running program, as in a build directory, or where it was installed;
 * where it is in neither place, the copy of @size bytes that this program carries, in memory;
 * -ENOENT where that is NULL. */
int carried_open(const char *program, const unsigned char *copy, unsigned size, struct err *e);
