/* SPDX-License-Identifier: MIT */
/* Whether a jail is what its manifest says, and whether the host still is what the jail was made
 * from. State, logs, content and directories of configuration are the host's own: they are right by
 * construction, and no finding. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "keep/dirs.h"

enum finding_kind {
	FINDING_CRITICAL, /* behind the host, and the update that would take it was not proved */
	FINDING_TAMPERED, /* the jail's file is not the one that was sealed */
	FINDING_DRIFT,	  /* the host's file is another than the jail's: an update takes it */
	FINDING_HYGIENE,  /* what should not be in a jail, or above it */
	FINDING_RESTART,  /* what runs is an older generation */
	FINDING_POLICY,	  /* kernel or immure can enforce more, or otherwise, than at the seal */
	FINDING_NOTE,	  /* nothing is wrong: what a reload would take */
	FINDING_KINDS
};

struct finding {
	enum finding_kind kind;
	char *path, *text; /* path: "" where it is about the whole jail */
};

struct findings {
	struct finding *v;
	size_t n;
};
#define CLEANUP_FINDINGS CLEANUP(findings_done)
void findings_done(struct findings *f);

const char *finding_kind_name(enum finding_kind k);

/* Whether there is nothing but notes. */
bool findings_clean(const struct findings *f);

/* What a check of many jails reads once: objects that they share, the package database. */
struct checker;

/* By metadata, or with @deep by every byte. Never NULL. */
struct checker *checker_new(const struct dirs *d, bool deep);
void checker_free(struct checker *c);
DEFINE_FREEP(struct checker, checker);
#define CLEANUP_CHECKER CLEANUP(checker_freep)

/* Looks at the current generation of @name. Adds to @ret in the order of the kinds' work, then of
 * paths. -ENOENT where there is no such jail. */
int check_jail(struct checker *c, const char *name, struct findings *ret, struct err *e);
