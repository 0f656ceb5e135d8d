/* SPDX-License-Identifier: MIT */
/* Debug lines on standard error, shown with -v. Lower layers say nothing else. */
#pragma once

#include "base/attr.h"

extern int log_level; /* 0 silent, 1 with -v */

void log_debug(const char *fmt, ...) PRINTF(1, 2);
