/* SPDX-License-Identifier: MIT */
/* Where a unit's files lie: systemd.unit(5), "UNIT FILE LOAD PATH". */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct unit_files {
	char *id;	      /* the unit's real name, aliases followed: "named.service" */
	char *fragment;	      /* its file, below the root: "/lib/systemd/system/named.service" */
	struct strv drop_ins; /* in the order in which they apply */
};
#define UNIT_FILES_INIT                                                                            \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_UNIT_FILES CLEANUP(unit_files_done)

void unit_files_done(struct unit_files *f);

/* Looks @unit up below the directory descriptor @root: in each directory of the load path, then its
 * template, through aliases (links to another name). @unit may lack ".service". Errors as
 * unit_load() has them. */
int unit_find(int root, const char *unit, struct unit_files *ret, struct err *e);
