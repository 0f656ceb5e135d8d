/* SPDX-License-Identifier: MIT */
/* From a laid tree to its manifest: what each path is, and the evidence for it. */
#pragma once

#include "jail/seal.h"

/* Describes all of @tree (O_PATH), without hashes. */
int describe_tree(const struct seal *s, int tree, struct manifest *ret, struct err *e);

/* Adds the entry of canonical @path of @tree, without hash. 0 or -errno. */
int describe_path(struct manifest *m, const struct seal *s, int tree, const char *path);

/* Adds what is in the jail without being in the tree: files of the host that are seen through a
 * read-only mount, and devices. */
void describe_beside(const struct seal *s, int host, struct manifest *m);

/* SHA-256 of the file @path below @root, hexadecimal. No link is followed. 0 or -errno. */
int describe_hash(int root, const char *path, char hex[65]);

/* The extended attributes of open @fd (O_PATH will do), ACLs and file capabilities with them:
 * "NAME=HEX,NAME=HEX", sorted; a long value as "NAME=sha256:HEX". NULL where it has none. New. */
char *describe_xattrs(int fd);

/* The hash and the attributes of every regular file that the generation holds and that has
 * none yet, and the attributes of its directories. */
int describe_hashes(int tree, struct manifest *m, struct err *e);

/* Gives every entry that has no reason one: it is on the way to another path. The manifest is
 * sorted. */
void describe_ways(struct manifest *m);
