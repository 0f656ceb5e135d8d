/* SPDX-License-Identifier: MIT */
/* CONFIG/NAME.d/root: files that the user keeps for one jail. Each stands there in the place of the
 * host's file of that path, or where the host has none. Every twin of a build meets them too, the
 * native one as well, so that the proof compares like with like; the seal lays them into the tree.
 *
 * Directories are only made where the host has none. What the jail has from the host by a mount
 * (configuration, content, state) is the host's: a file below it is refused, with what to do. */
#pragma once

#include "base/err.h"
#include "jail/lay.h"
#include "jail/layout.h"
#include "jail/manifest.h"
#include "keep/dirs.h"

struct user_file {
	char *from; /* below the directory, "/etc/x" */
	char *path; /* in the jail: the same, with the host's links on the way followed */
};

struct user_files {
	int dir;    /* O_PATH, or -1 where there are none */
	char *name; /* of the directory, for messages */
	struct user_file *v;
	size_t n; /* parents before what is in them */
};
#define USER_FILES_INIT                                                                            \
	{                                                                                          \
		.dir = -1                                                                          \
	}
#define CLEANUP_USER_FILES CLEANUP(user_files_done)
void user_files_done(struct user_files *u);

/* Lists those of jail @name. -EINVAL where there is something else than files, directories and
 * links, or more than USER_FILES_MAX. */
#define USER_FILES_MAX 10000
int user_files_open(const struct dirs *d, const char *name, struct user_files *ret, struct err *e);

/* Puts them below @root (O_PATH), a world's. */
int user_files_put(const struct user_files *u, int root, struct err *e);

/* Lays them, and what of the host is on the way. */
int user_files_lay(const struct user_files *u, struct lay *l, const struct layout *layout,
		   struct err *e);

/* Says of the entries of @m what is from here. */
void user_files_describe(const struct user_files *u, struct manifest *m);

/* Whether @m has what they are now, and nothing that they were; by metadata and links. @which (may
 * be NULL) is the first path that differs, new. */
bool user_files_same(const struct user_files *u, const struct manifest *m, char **which);
