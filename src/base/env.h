/* SPDX-License-Identifier: MIT */
/* Environments as lists of "NAME=value", each name once. */
#pragma once

#include "base/str.h"

/* Sets NAME of @assignment in @env: in the place of an earlier value, or at the end. */
void env_put(struct strv *env, const char *assignment);

/* Takes @name ("NAME", or "NAME=value": only where it has that value) out of @env. */
void env_remove(struct strv *env, const char *name);

/* The value of @name in @env, or NULL. */
const char *env_get(const struct strv *env, const char *name);
