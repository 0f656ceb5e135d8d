/* SPDX-License-Identifier: MIT */
/* Holds two runs' outputs against each other. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "jail/exercise.h"

struct difference {
	bool differs;
	int status_a, status_b;
	size_t line;	     /* first different line, 1-based; 0: only the status differs */
	char a[160], b[160]; /* that line, printable; "(no such line)" past the end */
	size_t masked;	     /* lines that are equal by their shape only */
};

/* Compares output line by line, and the exit status. With @shape runs of digits count as equal
 * (dates, ids, times). 0 or -errno where an output cannot be read. */
int compare_outcomes(const struct outcome *a, const struct outcome *b, bool shape,
		     struct difference *ret);

/* What the first different line looks as if it differed in, and a filter to put behind the step
 * that takes that out: "a date or time: | sed ...". For two native runs; never NULL. */
const char *difference_hint(const struct difference *d);
