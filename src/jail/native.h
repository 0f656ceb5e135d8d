/* SPDX-License-Identifier: MIT */
/* Never two of one service: before a jail starts, nobody else may be it. */
#pragma once

#include "base/err.h"
#include "jail/command.h"
#include "jail/generation.h"
#include "jail/passed.h"

/* -EBUSY, with the process, its pid and unit and what to do, where a process of the host
 *   - has a file of the jail's state open for writing (locks count here; what BindPaths= names is
 * shared on purpose),
 *   - listens where the service would, but on a socket of @passed,
 *   - or is the same program with the same command line. */
int native_absent(const struct generation *g, const struct spec *s, const struct command_set *c,
		  const struct passed *passed, struct err *e);
