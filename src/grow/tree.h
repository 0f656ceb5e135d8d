/* SPDX-License-Identifier: MIT */
/* The tree in which a service runs while it is observed, and where its files come from.
 *
 * In the baseline (no jail) the tree is the world itself: it is only looked at. In the growth the
 * tree is the jail, and a path that it lacks and the world has is put into it: a page fault for
 * files. Paths are canonical (no link, no ".."), and every access goes through fs/beneath.h: the
 * growing program is hostile and may plant links and rename directories while we write. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "fs/inodes.h"
#include "grow/record.h"

struct big_copy;

struct tree {
	int world;	     /* O_PATH, the world's root: where files come from */
	int jail;	     /* O_PATH, the jail's root with its mounts, or -1 in a baseline */
	struct strv own;     /* mount points in the jail whose content is not ours to fault */
	const char *scratch; /* where copies go, or NULL where they always fit; borrowed */
	struct record *record;
	struct inode *links;	 /* files with several names, by their inode in the world */
	struct inode *stand_ins; /* by their inode in the tree: the service may have another name */
	struct big_copy *copies; /* under way, in threads */
	int copies_done;	 /* eventfd, readable when one has ended */
	bool stopped;		 /* atomic: somebody wants us to end; long listings look at it */
	struct err failure;	 /* the first error of ours (disk full); the run is void then */
};

int tree_init(struct tree *t, int world, int jail, struct record *record);
void tree_done(struct tree *t);

enum tree_answer {
	TREE_MISSING, /* neither the tree nor the world has it */
	TREE_THERE,
	TREE_LATER, /* a big copy is under way: ask again when copies_done is readable */
};

/* Looks @path up, faults it in where needed, and fills *ret_type with its S_IFMT. The parent is
 * known to be a directory of the tree. */
enum tree_answer tree_look(struct tree *t, const char *path, mode_t *ret_type,
			   struct touch **ret_touch);

/* Puts an entry into the tree for everything that the world's directory @path has: files as empty
 * stand-ins that become real when they are touched. */
void tree_list(struct tree *t, const char *path);

/* Makes the whole directory @path real, before it is renamed or removed: afterwards its names are
 * others, and what was not there yet could not be found under them. */
void tree_pull(struct tree *t, const char *path);

/* Makes the stand-ins below @path real: in a mount namespace of the service's own they may be
 * reached by names that we cannot see. */
void tree_complete(struct tree *t, const char *path);

/* Whether the tree has @path now. */
bool tree_has(const struct tree *t, const char *path);

/* The link at @path, from the tree. */
int tree_readlink(struct tree *t, const char *path, char *buf, size_t size);

/* An open descriptor of the regular file @path, from the tree, or -errno. */
int tree_open(struct tree *t, const char *path);

/* Takes in the copies that have ended; returns how many. */
int tree_reap_copies(struct tree *t);

/* Whether the tree's @path is what /proc/TID/@link leads to: a descriptor may have come from
 * outside the tree (standard output), and then its path means nothing here. */
bool tree_same(const struct tree *t, const char *path, pid_t tid, const char *link);

/* Whether @path lies in a mount of the jail, where nothing is faulted. */
bool tree_mounted(const struct tree *t, const char *path);
