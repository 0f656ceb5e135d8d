/* SPDX-License-Identifier: MIT */
/* Environments as lists of "NAME=value", and the files of EnvironmentFile=.
 *
 * Such files hold secrets: they are read at every start and never stored. No message has a value.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/* Whether @s is NAME=value with NAME [A-Za-z_][A-Za-z0-9_]*. */
bool env_assignment_ok(const char *s);

/* Sets NAME of @assignment in @env: in the place of an earlier value, or at the end. */
void env_put(struct strv *env, const char *assignment);

/* Takes @name ("NAME", or "NAME=value": only where it has that value) out of @env. */
void env_remove(struct strv *env, const char *name);

/* The value of @name in @env, or NULL. */
const char *env_get(const struct strv *env, const char *name);

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
