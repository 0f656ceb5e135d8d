/* SPDX-License-Identifier: MIT */
/* Commands of the spec in and beside a jail that runs: ConfigTest=, ExecReload=. */
#pragma once

#include "base/err.h"
#include "jail/live.h"

/* Runs all lines of @list; stops at the first that fails, -EREMOTEIO with what it printed. @what
 * names the key. MAINPID is set in the environment of @l. */
int tell_lines(struct live *l, const struct exec_list *list, const char *what, struct err *e);

/* ExecReload=, or SIGHUP. */
int tell_reload(struct live *l, struct err *e);

/* The signal that the words of a kill(1) line send to @pid ("kill -s HUP 12", "/bin/kill -1 12"),
 * or 0 where the line is anything else. Exposed for the unit test. */
int tell_signal(char *const *words, const char *pid);
