/* SPDX-License-Identifier: MIT */
/* One pid file: where a service says the number of one of its processes. Its word, not to be
 * trusted: whose number it is, is looked up among the jail's own processes. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "confine/run.h"

struct stat;

/* What a pid file of these bytes says: its first word; 0 where that is no pid. */
pid_t pid_file_parse(const char *bytes, size_t len);

/* What the file @path below @root (O_PATH) says, or 0; its metadata in @ret. No link is followed.
 */
pid_t pid_file_read(int root, const char *path, struct stat *ret);

/* The host's number of the process of @r that is number @inside there, or 0. */
pid_t pid_file_outside(const struct run *r, pid_t inside);
