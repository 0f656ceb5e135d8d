/* SPDX-License-Identifier: MIT */
/* Directories and files of the host that a start makes, and that go with it. No link is followed on
 * the way: whoever owns a directory there could lead it elsewhere. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/str.h"

struct make {
	const char *path; /* absolute, below the root that is meant */
	bool file;	  /* an empty one; else a directory */
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/* Makes it below @root (O_PATH), and its parents where they are missing, root's and 0755. What is
 * there already stays as it is. 0 or -errno. */
int make_missing(int root, const struct make *m);

/* Removes those of @paths that lie in /run, as RuntimeDirectory= has it, systemd.exec(5); but only
 * what is empty: another service may share it. */
void make_undo(const struct strv *paths);
