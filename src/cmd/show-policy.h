/* SPDX-License-Identifier: MIT */
/* `immure show --policy`: what the running jail may do, and for what each right was needed. */
#pragma once

#include "cmd/cmd.h"

/* Returns the exit status. */
int show_policy(const struct invocation *in);
