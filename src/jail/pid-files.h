/* SPDX-License-Identifier: MIT */
/* Pid files: where a service says the number of one of its processes, for scripts of the host.
 *
 * Learnt from a twin, not told: a small regular file that the run wrote, whose first word is the
 * number of one of its processes. Those in directories that the host shares with the jail are right
 * on both sides only when the process has the same number on both (confine/pids.h). Those right in
 * /run, where the jail has memory of its own, are published: the host gets a file of the same name,
 * owner and mode with the number that is right there. What the file says is the service's word: a
 * number that is none of its own processes is never published. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "confine/run.h"
#include "grow/record.h"
#include "jail/layout.h"

/* Adds the pid files among what @record says was written. @root is the twin's root (O_PATH). */
void pid_files_find(const struct record *record, int root, const struct run *r, struct strv *ret);

/* The first of @files that names a process of the run which has another number outside, or NULL.
 * Files that are not there, or name none of its processes, are passed over. */
const char *pid_files_wrong(const struct strv *files, const struct run *r);

/* The number outside of the process that the pid file @path (as the service sees it) names, and the
 * one that it says; 0 where it names none of the run. */
pid_t pid_files_number(const char *path, const struct run *r, pid_t *ret_inside);

/* The names of those of @files that are right in /run and that @l does not cover: for the keeper to
 * publish (keep/publish.h). */
void pid_files_private(const struct strv *files, const struct layout *l, struct strv *ret);
