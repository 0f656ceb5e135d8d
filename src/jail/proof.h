/* SPDX-License-Identifier: MIT */
/* The same exercise, natively and in the jail: what is to be held against what, and the verdict. */
#pragma once

#include "jail/compare.h"
#include "jail/trial.h"

struct proof_step {
	const char *command; /* the spec's, or the probe's */
	struct difference difference;
	double native_s, jailed_s;
};

struct proof_result {
	bool proved;
	struct proof_step *steps;
	size_t n_steps;
};
void proof_result_done(struct proof_result *r);

/* The exercise must succeed natively: else the fault is not the jail's, and nothing can be proved.
 * -ETIME or -EREMOTEIO with the step, and what it printed. */
int proof_native(const struct trial *p, const struct twin_report *native, struct err *e);

/* Two native runs that differ would make any proof worthless: -EREMOTEIO with the line. */
int proof_stable(const struct trial *p, const struct twin_report *a, const struct twin_report *b,
		 struct err *e);

/* @ret borrows the commands of @p's spec or probe. */
int proof_compare(const struct trial *p, const struct twin_report *native,
		  const struct twin_report *jailed, struct proof_result *ret, struct err *e);
