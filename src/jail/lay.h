/* SPDX-License-Identifier: MIT */
/* Lays paths of a source into a tree: each with every directory on its way, all with the metadata
 * of the source, several names of one file as one file. Where the growth reacts to a hostile
 * program, this works on a tree that nobody else can reach yet. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "fs/inodes.h"

struct lay {
	int source, tree;	 /* source is borrowed */
	struct strv directories; /* whose times are set at the end */
	struct inode *inodes;	 /* of files with several names */
};

/* @source is an O_PATH root. The tree's own root gets the source's metadata. */
int lay_open(struct lay *l, int source, const char *tree, struct err *e);

/* Lays canonical @path. 0; 1 where the source has no such path (any more), or it is no file that
 * can be copied (a device); -errno. */
int lay_path(struct lay *l, const char *path, struct err *e);

/* The same, but a regular file without its content. */
int lay_withheld(struct lay *l, const char *path, struct err *e);

/* Something for a mount to lie on: @path as a directory, or an empty file; never as the link that
 * the source may have there. */
int lay_point(struct lay *l, const char *path, bool file, struct err *e);

/* Gives the directories the times of the source: what is laid into one moves them on. */
void lay_times(const struct lay *l);

/* The same, and releases. */
void lay_close(struct lay *l);
