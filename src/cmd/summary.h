/* SPDX-License-Identifier: MIT */
/* What `build` prints: proved or not first, then what a reviewer wants to know. */
#pragma once

#include "cmd/cmd.h"
#include "jail/build.h"

void summary_print(const struct invocation *in, const struct spec *s, const struct build_report *r);
