/* SPDX-License-Identifier: MIT */
/* Direct=yes: a start wrapper (a script, pg_ctlcluster, apachectl) ends in the service itself, and
 * the jail can start that without the wrapper and all that only the wrapper needs.
 *
 * Learnt in two steps, since each source knows what the other does not: at rest the kernel says
 * which program the main process runs and as whom; the record of the start says with which words
 * and variables it was executed (many programs write over theirs). */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "base/str.h"
#include "confine/run.h"
#include "grow/record.h"
#include "jail/command.h"

struct direct {
	char *program; /* NULL: nothing was learnt */
	struct strv argv;
	struct strv
	    env; /* K=V that the wrapper added or changed; so no value of an EnvironmentFile= */
	struct strv unset; /* K that it took away */
	char *cwd;
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	size_t n_groups;
};
#define DIRECT_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}
void direct_done(struct direct *d);

/* At rest: program and ids of the main process of @r. -errno where it cannot be read. */
int direct_look(struct direct *d, const struct run *r, struct err *e);

/* When the record is complete: words, variables and directory; @c is what was started. Nothing
 * stays learnt where that was the service itself, or where its execution is not on record. */
void direct_settle(struct direct *d, const struct record *record, const struct command_set *c);

/* -EPERM with a message where what was learnt has a value out of the EnvironmentFile= @files in it:
 * those are read at each start and never stored. */
int direct_check(const struct direct *d, const struct strv *files, struct err *e);

/* Lets @c start @d in the place of its own command, as its user. Nothing where nothing was learnt.
 */
void direct_apply(const struct direct *d, struct command_set *c);

json_t *direct_to_json(const struct direct *d);
int direct_from_json(struct direct *d, const json_t *j);
