/* SPDX-License-Identifier: MIT */
/* What `build` prints: proved or not first, then what a reviewer wants to know. */
#pragma once

#include "cmd/cmd.h"
#include "jail/build.h"

/* @notes: what this host could not do as the spec asks. */
void summary_print(const struct invocation *in, const struct spec *s, const struct build_report *r,
		   const struct strv *notes);
