/* SPDX-License-Identifier: MIT */
/* Foresight in a build: asked with what the spec and the baseline tell, and joined to the layout.
 */
#pragma once

#include "foresee/foresee.h"
#include "grow/record.h"
#include "jail/direct.h"
#include "jail/layout.h"
#include "jail/who.h"
#include "spec/spec.h"

/* Files and bytes that would be in the jail by one sort of evidence more than by the one before. */
struct cost {
	size_t files;
	long long bytes;
};

/* What a start read or executed, by the record of a baseline; where a wrapper's work is left out
 * (@direct), without what only it read. */
void foreseen_used(const struct record *record, bool direct, struct strv *ret);

/* @direct is what is started in the place of the spec's command, where it has been learnt. @used is
 * as of foreseen_used(), @who the accounts of the service's processes. @host is borrowed for as
 * long as @ret lives. */
int foreseen_make(const struct spec *s, const struct direct *direct, const struct strv *used,
		  const struct layout *l, const struct who *who, int host, struct foresight *ret,
		  struct err *e);

/* Whether the jail's accounts are the host's own, always current: the spec says so, or, where it
 * says nothing, clients of the service name them. */
bool foreseen_accounts_live(const struct spec *s, const struct foresight *f);

/* Takes off the secrets left out those that a run has read after all, and those that a directory of
 * @l shows. */
void foreseen_drop_known(struct foresight *f, const struct record *record, const struct layout *l);

/* Whether the closure of the spec wants @n in the jail though no run has used it. */
bool foreseen_wanted(const struct spec *s, const struct foresight *f, const struct node *n);

/* Takes all files of the packages that own a program file that was used (documentation left out)
 * into @ev, and what they add to the evidence of @f into *ret_cost. */
void foreseen_packages(const struct foresight *f, const struct record *record, struct evidence *ev,
		       struct cost *ret_cost);
