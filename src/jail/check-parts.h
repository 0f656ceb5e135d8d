/* SPDX-License-Identifier: MIT */
/* What the two halves of check.h share: check.c holds the tree against manifest and host,
 * check-around.c looks at all around it. */
#pragma once

#include <uthash.h>

#include "fs/inodes.h"
#include "host/packages.h"
#include "jail/check.h"
#include "jail/generation.h"

/* What an inode was found to hold: jails share their files, and each is read once. */
struct object {
	struct inode_key key;
	bool hashed;
	char sha256[65];
	char *xattrs;
	UT_hash_handle hh;
};

struct checker {
	const struct dirs *dirs;
	int host; /* O_PATH */
	bool deep;
	struct packages *packages; /* opened when the first drift is found */
	struct object *objects;
};

struct checking {
	struct checker *all;
	const char *name;
	const struct generation *g;
	struct manifest manifest;
	int tree; /* O_PATH */
	struct findings *ret;
};

/* Adds a finding; takes @text over. */
void check_found(struct checking *c, enum finding_kind kind, const char *path, char *text);

/* Directories above, accounts, what runs, what is due, walls, the user's own files. */
int check_around(struct checking *c, struct err *e);
