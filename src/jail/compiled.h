/* SPDX-License-Identifier: MIT */
/* Writes the compiled form of a start (keep/start.h), where what it depends on can be marked. */
#pragma once

#include "jail/live.h"

/* Of @l, which has just been started in the foreground. Never fails: the next start takes the long
 * way again. */
void compiled_save(const struct live *l);
