/* SPDX-License-Identifier: MIT */
/* One pid file: where a service says the number of one of its processes. Its word, not to be
 * trusted: whose number it is, is looked up among the jail's own processes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "confine/run.h"

struct stat;

/* What a pid file of these bytes says: its first word; 0 where that is no pid. */
pid_t pid_file_parse(const char *bytes, size_t len);

/* What the file @path below @root (O_PATH) says, or 0; its metadata in @ret. No link is followed.
 */
pid_t pid_file_read(int root, const char *path, struct stat *ret);

/* Where the first process of @r has ended well, or the one that is followed has ended, and the file
 * @path of the jail names another living process of it: that one is the main one from now on, true.
 */
bool pid_file_follow(struct run *r, const char *path);

/* The same without a file: the oldest process that its init has adopted. */
bool pid_file_guess(struct run *r);

/* The host's number of the process of @r that is number @inside there, or 0. */
pid_t pid_file_outside(const struct run *r, pid_t inside);
