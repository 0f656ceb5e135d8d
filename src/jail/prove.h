/* SPDX-License-Identifier: MIT */
/* The proof of a jail that is there, again: its exercise natively and in its current generation,
 * both in worlds of their own, and what its walls are, read back from inside. The running service
 * notices nothing. */
#pragma once

#include "jail/build.h"

struct prove_report {
	int generation;
	struct proof_result proof;
	struct probe probe; /* what the steps were where the spec has none */
	struct selftest_row *walls;
	size_t n_walls;
	struct strv refused; /* calls that its filter refused */
	struct strv unwell;  /* commands around its stop that fail in the jail alone */
	struct strv lacking; /* extra walls that this kernel has not */
	double native_s, jailed_s;
};
#define PROVE_REPORT_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_PROVE_REPORT CLEANUP(prove_report_done)
void prove_report_done(struct prove_report *r);

/* @s is the generation's spec: steps of @ret borrow from it. 0 where the proof held, 1 where not,
 * -errno. */
int prove_run(const struct dirs *d, const struct generation *g, const struct spec *s,
	      const struct scratch *scratch, trial_progress progress, struct prove_report *ret,
	      struct err *e);
