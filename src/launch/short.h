/* SPDX-License-Identifier: MIT */
/* The short way of `immure run`: carries out a start that was compiled before (keep/start.h). */
#pragma once

/* Runs the jail @name, of which nothing has changed since, and ends as its service ended; or hands
 * the run to immure-main (@program, an open file), executed as `immure adopt NAME DESCRIPTOR`.
 * Returns where the long way is to be taken: then nothing has been done. */
void short_run(const char *name, int program);

/* Executes @program; returns where that cannot be, with errno. */
void short_execute(int program, char *const argv[]);
