/* SPDX-License-Identifier: MIT */
/* The jail in the place of a native init script, on a host that starts its services by them: an LSB
 * script of the same name, and the native one aside as SCRIPT.immure-native. A package's script is
 * diverted, dpkg-divert(1), so that an upgrade leaves ours alone. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* /etc/init.d/NAME, new; a test puts it elsewhere (IMMURE_INITD_DIR). */
char *sysv_script(const char *name);

/* Puts @text in the place of @script, which must be there or aside already. */
int sysv_take(const char *script, const char *text, bool *ret_changed, struct err *e);

/* Gives the native script its place back. */
int sysv_give(const char *script, bool *ret_changed, struct err *e);
