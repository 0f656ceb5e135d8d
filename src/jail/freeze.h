/* SPDX-License-Identifier: MIT */
/* A running jail that is halted as it is: `immure freeze` and `immure thaw`. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "keep/dirs.h"

bool freeze_is(const struct dirs *d, const char *name);

/* Freezes @name, or lets it go on. 1 where it is so already; -ESRCH where it does not run,
 * -EOPNOTSUPP where this host cannot freeze it. */
int freeze_set(const struct dirs *d, const char *name, bool frozen, struct err *e);
