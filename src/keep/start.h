/* SPDX-License-Identifier: MIT */
/* A start, compiled: what `immure run` would carry out, worked out once and kept beside the jail,
 * with everything that it was worked out of.
 *
 *   immure run --the long way--> service runs, STATE/jails/NAME/start.bin is written
 *   immure run --start_holds()--> the same plan at once, by a program without libraries
 *
 * It is a shortcut and no truth of its own. Whatever it was made of is named in it, by the marks
 * that the kernel gives: where one of them is another now, or where anything goes wrong on the
 * short way, the long way is taken, which knows what to do and what to say. Jails whose start
 * depends on what no mark can tell (files of variables, sockets that are handed over, accounts of a
 * directory service ...) have none (jail/compiled.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "base/err.h"
#include "base/str.h"
#include "confine/refusals.h"
#include "fs/make.h"
#include "keep/logging.h"
#include "keep/notices.h"

/* What a path was. */
struct start_mark {
	const char *path;
	bool there; /* else: that it was missing */
	bool whole; /* its content and attributes too; else which object it is */
	uint64_t dev, ino;
	uint32_t mode;
	int64_t size;
	struct timespec modified, changed;
};

/* What a directory that the service only reads had in it. */
struct start_tree {
	const char *path;
	uint64_t print; /* newer_print() */
};

struct start {
	const char *jail;	   /* STATE/jails/NAME */
	struct start_mark program; /* immure-main, which has compiled it; no path */
	const char *kernel;	   /* as start_kernel() */
	uint64_t limits;	   /* as start_limits() */
	int generation;
	const char *run_dir; /* RUN, which sources of mounts lie in */
	const char *point;   /* where control groups of version 2 are mounted, or NULL */
	const char *group;   /* the name of its own */

	struct refusal_answers answers; /* to what its filter refuses */

	/* Its /dev/log and its notify socket are in the plan: what they are opened with. */
	bool logs;
	struct logging_settings log;
	enum notices_from notices;

	struct start_mark *marks;
	size_t n_marks;
	struct start_tree *trees;
	size_t n_trees;
	struct make *makes; /* what the host may lack */
	size_t n_makes;

	/* Where a native service would be met (jail/native.h). */
	struct strv listeners;
	struct strv state, others; /* directories whose innermost says whether it is state */

	const char *plan; /* packed, confine/packed.h */
	size_t plan_len;
};
#define START_FILE "start.bin"
#define START_MAX  (1 << 20)

/* How many entries of trees a start looks at, at most. */
#define START_TREES_MAX 400

/* Release and version of the running kernel: what it can enforce is in the plan. */
void start_kernel(char ret[128]);

/* What the caller may not raise, as a hash: 0 where he may all, CAP_SYS_RESOURCE. The plan has no
 * limits that it could not set. */
uint64_t start_limits(void);

/* A mark of what @path is now, a link not followed; the path is borrowed. */
struct start_mark start_mark(const char *path, bool whole);

/* A whole one of the open file @fd. */
struct start_mark start_mark_of(int fd);

/* Fills @trees, the n_trees of @s, with what they have in them now, but for what lies in
 * directories that are marked by themselves: others write there. As newer_print() with @before. */
int start_print(const struct start *s, struct start_tree *trees, const struct timespec *before);

/* The bytes, new. */
char *start_write(const struct start *s, size_t *ret_len);

/* @ret borrows from @bytes; start_done() releases the rest. -EBADMSG. */
int start_read(const char *bytes, size_t len, struct start *ret, struct err *e);
void start_done(struct start *s);

/* Whether all is as it was for the jail in the directory @jail; @program is the immure-main that
 * would take the long way. */
bool start_holds(const struct start *s, const char *jail, int program);
