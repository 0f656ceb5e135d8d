/* SPDX-License-Identifier: MIT */
/* The host's tools in the view of a jail: of the one that runs, else of its current generation with
 * the host's directories as a start would show them. confine/visit.h has how. */
#pragma once

#include "base/err.h"
#include "keep/dirs.h"

/* Runs @argv, NULL-terminated, there, on the caller's terminal, and waits for it; *ret_status as of
 * waitpid(2). Empty: a shell. Nothing is left of it, in the jail or on the host. */
int shell_run(const struct dirs *d, const char *name, char *const *argv, int *ret_status,
	      struct err *e);
