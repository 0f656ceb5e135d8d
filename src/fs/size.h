/* SPDX-License-Identifier: MIT */
/* How much of its file system a tree takes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Adds the bytes of the blocks of all that lies below directory @dirfd, on its own mount only and
 * following no link; of a file with n names each counts for a part in n. *room is how many entries
 * may still be looked at: false where that, or the depth of the tree, was not enough. */
bool size_of_tree(int dirfd, size_t *room, long long *bytes);
