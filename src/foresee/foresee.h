/* SPDX-License-Identifier: MIT */
/* Foresight: what a service will need, known without asking for it (design.md 5).
 *
 * From the commands, the environment and the configuration that a run has read, evidence spreads
 * path by path: a program brings its libraries and families, a script its interpreter and modules,
 * a configuration file what it names. Only the host is read; nothing is executed. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "foresee/evidence.h"
#include "host/accounts.h"
#include "host/packages.h"

/* What is known of the service. All borrowed. */
struct foresee_input {
	int host;			/* O_PATH root */
	const struct strv *programs;	/* absolute: the commands of the spec */
	const struct strv *arguments;	/* all words of its command lines */
	const struct strv *environment; /* "K=V" */
	const struct strv *include;	/* absolute paths and "package:NAME" */
	const char *cwd;
	const struct strv *used;    /* canonical paths that the baseline's start read or executed */
	const struct strv *content; /* directories that are bound read-only already */
	const struct strv *writable; /* directories that the jailed service may write to */
	const uid_t *uids;	     /* whom its processes run as, root left out */
	size_t n_uids;
	const gid_t *gids; /* their groups, likewise */
	size_t n_gids;
};

/* A directory of the host that the jail should see as it is. */
struct foreseen_dir {
	char *path; /* canonical */
	bool writable;
	char *text; /* the reason, for people */
};

struct foresight {
	struct evidence *evidence;
	struct packages *packages;
	struct accounts accounts;
	char *accounts_live; /* the sign that clients name accounts, or NULL */
	bool passwords;	     /* and that they log in with passwords */
	struct foreseen_dir *dirs;
	size_t n_dirs;
	struct strv
	    missing; /* libraries that nothing provides: "libx.so.1, needed by /usr/bin/y" */
	struct strv families; /* that were met: "nss", "pam" */
};
#define FORESIGHT_INIT                                                                             \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_FORESIGHT CLEANUP(foresight_done)
void foresight_done(struct foresight *f);

/* Gives what could be known; a file that is broken or gone is left out. -ENOENT where something
 * that
 * @in includes is not on the host. */
int foresee(const struct foresee_input *in, struct foresight *ret, struct err *e);
