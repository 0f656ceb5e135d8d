/* SPDX-License-Identifier: MIT */
/* The files of EnvironmentFile=, read into environments (base/env.h).
 *
 * Such files hold secrets: they are read at every start and never stored. No message has a value.
 */
#pragma once

#include <stdbool.h>

#include "base/env.h"
#include "base/err.h"

/* Whether @s is NAME=value with NAME [A-Za-z_][A-Za-z0-9_]*. */
bool env_assignment_ok(const char *s);

/* Puts the assignments of a file's bytes into @env, by the rules of systemd.exec(5) (shell-like
 * quotes, lines joined by a backslash; nothing is executed or substituted). Lines that are no valid
 * assignment are passed over, as systemd does. -EINVAL where the text holds a NUL,
 * -E2BIG beyond 4096 variables. */
int env_file_parse(const char *text, size_t len, struct strv *env, struct err *e);

/* Reads one file. -ENOENT and other errors name it. */
int env_file_read(const char *path, struct strv *env, struct err *e);

/* Reads the files of EnvironmentFile= in order: a "-" in front lets one be absent, wildcards are
 * those of glob(7). */
int env_files_read(const struct strv *files, struct strv *env, struct err *e);
