/* SPDX-License-Identifier: MIT */
/* Paths by inode: which name a file was met under first, so that its second name becomes a hard
 * link and not a second file. Start with NULL; inodes_free() releases. */
#pragma once

#include <sys/stat.h>
#include <uthash.h>

struct inode_key {
	dev_t dev;
	ino_t ino;
};

struct inode {
	struct inode_key key;
	char *path;
	UT_hash_handle hh;
};

/* The path remembered for the file of @st, or NULL. The map's. */
const char *inodes_find(const struct inode *map, const struct stat *st);

/* Remembers @path (copied) for it. The last one counts: the number of a file that is gone may be
 * used again for another. */
void inodes_add(struct inode **map, const struct stat *st, const char *path);
void inodes_free(struct inode **map);

/* Makes @name below @parent a second name of @first, a path of the tree @root. */
int inodes_link(int root, const char *first, int parent, const char *name);
