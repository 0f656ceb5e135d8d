/* SPDX-License-Identifier: MIT */
/* The files of all jails, each once: STATE/store/XX/HASH, hard-linked into every generation that
 * has the file. The hash is over content, owner, mode, time and extended attributes, so a link is
 * in every respect the file that was laid. Never a link to a file of the host.
 *
 * The directory is root's alone; an object that no generation has any more is garbage. */
#pragma once

#include "base/err.h"
#include "jail/manifest.h"
#include "keep/dirs.h"

/* Makes the regular files of the sealed @tree (O_PATH) that @m holds links to objects; those that
 * are new become objects themselves. A file system that cannot do it leaves files as they are. */
int store_share(const struct dirs *d, int tree, const struct manifest *m, struct err *e);

/* The same for what lies beside the tree in the generation's directory @dir, and is the same for
 * jails of one service: the manifest @m and the policy. They get the time of the newest file
 * listed. */
int store_share_beside(const struct dirs *d, const char *dir, const struct manifest *m,
		       struct err *e);

/* Says to backup programs that all in the open directory @fd can be made anew (CACHEDIR.TAG). */
void store_tag(int fd);

struct store_size {
	size_t objects;
	long long bytes;
};

/* All there is, as du(1) counts it: blocks on disk, each object once. */
int store_measure(const struct dirs *d, struct store_size *ret, struct err *e);

/* Removes what no generation has; *ret is what that was. With @dry nothing is removed. */
int store_collect(const struct dirs *d, bool dry, struct store_size *ret, struct err *e);
