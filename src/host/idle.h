/* SPDX-License-Identifier: MIT */
/* Whether nobody has files open, without a look at every process of the host: the kernel gives a
 * lease, fcntl(2), on what nobody has open in a way that is against it. It is given back at once;
 * whoever opens the file in that moment waits for as long. Where there are no leases (some network
 * file systems), or it is not certain, the answer is no: host/holders.h knows who it is. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/* Nobody executes or has open @program. */
bool idle_program(const char *program);

/* Nobody has open for writing, or mapped so, a regular file in one of @dirs or below. Links are not
 * followed; more than IDLE_FILES_MAX entries are not looked at: then no. */
#define IDLE_FILES_MAX 3000
bool idle_trees(const struct strv *dirs);
