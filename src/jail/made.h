/* SPDX-License-Identifier: MIT */
/* Files of a jail that are made from the host's, so that nothing in the jail tells what else the
 * host has: accounts cut to those needed, the loader's cache cut to the jail's libraries. */
#pragma once

#include "base/err.h"
#include "foresee/foresee.h"
#include "jail/manifest.h"

/* Replaces the content of those of these files that the tree @tree has, by what @m says is there
 * and @f says is needed; metadata stay the host's. The entries of @m get the new size and how they
 * are provided; hashes are the caller's. Owners of what is in @m are needed accounts: they are
 * added to @f. */
int made_write(int tree, struct manifest *m, struct foresight *f, struct err *e);

/* The loader's cache of a jail that runs, cut anew to the libraries that @m has: another file, put
 * in the place of the old one by one rename. Its entry has no hash then. A jail without a cache
 * gets none. */
int made_renew(int tree, struct manifest *m, const struct foresight *f, struct err *e);
