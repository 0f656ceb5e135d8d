/* SPDX-License-Identifier: MIT */
/* What `immure why` answers about one path or account: whether the jail has it, as what and why;
 * or what would bring it in. Data for whoever prints it. */
#pragma once

#include <stdbool.h>

#include "jail/generation.h"
#include "jail/remedy.h"
#include "jail/why.h"

struct answer {
	char *path;	   /* as the service sees it, links followed; NULL for an account */
	struct strv links; /* that were followed: "/lib -> usr/lib" */
	bool present;
	const struct entry *entry; /* its own one, of the manifest; or NULL */
	const char *class;	   /* a word, or NULL */
	const char *provided;	   /* as in the manifest, or "own", "memory"; or NULL */
	const char *access;	   /* of a bind: "read-only", "read-write"; else NULL */
	struct why_chain chain;
	char *note;	      /* one line where it is absent: why that is so; or NULL */
	char *host;	      /* what the host has: "file, perl-base 5.36.0-7"; or NULL */
	struct remedy remedy; /* where it is absent */
};
#define ANSWER_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_ANSWER CLEANUP(answer_done)
void answer_done(struct answer *a);

/* About absolute @path. @m is @g's manifest and must outlive @ret; @host the O_PATH root of the
 * host. -ELOOP with a message. */
int answer_path(const struct generation *g, const struct manifest *m, int host, const char *path,
		struct answer *ret, struct err *e);

/* About a user or a group. */
void answer_account(const struct generation *g, const struct manifest *m, const char *name,
		    bool group, struct answer *ret);
