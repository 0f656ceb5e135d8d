/* SPDX-License-Identifier: MIT */
/* Reads back, inside the jail and before the service, what the walls really are, and compares it
 * with what the plan says. A wall that is only believed in is none: runc CVE-2019-16884 wrote a
 * security label to a file that was not /proc's.
 *
 * Called by the process that is about to execute, after its last step of confinement, so it may use
 * only what the filter lets through and the user may do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "confine/plan.h"

enum selftest_result { SELFTEST_HELD, SELFTEST_BROKEN, SELFTEST_UNKNOWN };

struct selftest_row {
	char wall[20]; /* "capabilities" */
	enum selftest_result result;
	char want[96], is[96];
};

/* More than there are walls. */
#define SELFTEST_ROWS 24

/* Tests the wall number @i, of user, groups, bounding set, the other sets, no_new_privs, filter,
 * descriptors (none but 0 to 2 and @report), root, mounts, pids, namespaces, Landlock, limits,
 * environment, signals, core dumps, umask, session. False where there are no more. */
bool selftest_one(const struct plan *p, int report, size_t i, struct selftest_row *ret);

/* 0, or -EPERM with the wall's name, what it should be and what it is. */
int selftest_judge(const struct selftest_row *row, struct err *e);
