/* SPDX-License-Identifier: MIT */
/* What `build` and `update` share. */
#pragma once

#include "cmd/cmd.h"
#include "spec/spec.h"

/* Builds the jail of @s unless it is unchanged, and prints what came of it; the exit status. With
 * @write the spec is new and is written once it is proved. @notes go into the summary. */
int build_spec(const struct invocation *in, const struct spec *s, bool write,
	       const struct strv *notes);
