/* SPDX-License-Identifier: MIT */
/* Runs a program in a world as `build` does: natively and watched, or in an empty jail that is
 * grown, without readiness, exercise or seal; and tells what it printed and what was recorded. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/str.h"
#include "grow/record.h"

enum rig_kind {
	RIG_PLAIN,  /* in a world, without the supervisor */
	RIG_NATIVE, /* in a world, watched */
	RIG_GROW,   /* in an empty jail of it, grown */
};

struct rig {
	enum rig_kind kind;
	const char *const *argv; /* argv[0] is the program, absolute */
	uid_t uid;		 /* and gid; 0 is root */
	int seconds;		 /* then it is killed: the watchdog */
	const char *cwd;	 /* NULL: "/" */
	/* Called when the program is running, in the caller's process; may be NULL. */
	void (*started)(pid_t init, const char *scratch, void *user);
	void *user;
};

struct rig_result {
	struct record *record; /* NULL for RIG_PLAIN */
	char *out;	       /* standard output and error */
	int status;	       /* as of waitpid(2) */
	bool killed;	       /* by the watchdog */
	unsigned long calls;
	double seconds;
	char *scratch; /* where the layers and the tree are; rig_done() removes it */
};
#define RIG_RESULT_INIT                                                                            \
	{                                                                                          \
		0                                                                                  \
	}

/* 0, or -1 with the reason on standard output. */
int rig_run(const struct rig *rig, struct rig_result *ret);
void rig_done(struct rig_result *r);

/* Exits with 77, what meson calls skipped, where this process may not do what the tests need. */
void rig_need_root(void);

/* A new directory with a short name, "/var/tmp/im-XXXXXX"; removed with rig_remove(). */
char *rig_dir(void);
void rig_remove(const char *path);

/* One line for each path below @dir: all of its metadata but the access time, and its content's
 * sum: two equal listings mean that nothing was touched. New string. */
char *rig_listing(const char *dir);
