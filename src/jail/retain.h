/* SPDX-License-Identifier: MIT */
/* Which older generations stay: the newest ones whatever their age, those of the last days whatever
 * their number, the current one, and the one that runs, whose files its service may still open.
 *
 * A generation goes by being renamed to a name that is none of a generation's, then removed: who is
 * killed meanwhile leaves no half of one to be rolled back to, and the next call takes it away. */
#pragma once

#include <stdbool.h>

#include "keep/dirs.h"

#define RETAIN_NEWEST 3
#define RETAIN_DAYS   7
#define RETAIN_MOST   20 /* however young */

/* Removes what need not stay of the jail @name, whose lock the caller holds. Nothing is removed
 * while it cannot be known which one runs. Returns how many went; with @dry, for which no lock is
 * needed, how many would. */
int retain_generations(const struct dirs *d, const char *name, bool dry);
