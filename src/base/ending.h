/* SPDX-License-Identifier: MIT */
/* The end of a process that stands for another. */
#pragma once

#include "base/attr.h"

/* Ends as that one did, by @status of waitpid(2), by the same signal too: init systems tell the two
 * apart. */
NORETURN void ending_as(int status);
