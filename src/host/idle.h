/* SPDX-License-Identifier: MIT */
/* Whether nobody has files open, without a look at every process of the host: by leases
 * (fs/lease.h). Where there are none, or it is not certain, the answer is no: host/holders.h knows
 * who it is. What somebody else has leased is not waited for. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/* Nobody executes or has open @program. */
bool idle_program(const char *program);

/* Nobody has open for writing, or mapped so, a regular file in one of @dirs or below. Links are not
 * followed; more than IDLE_FILES_MAX entries are not looked at: then no. */
#define IDLE_FILES_MAX 3000
bool idle_trees(const struct strv *dirs);
