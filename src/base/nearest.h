/* SPDX-License-Identifier: MIT */
/* "did you mean ...?": the candidate that lies nearest to a mistyped word. */
#pragma once

#include <stddef.h>

/* Start with NEAREST_OF(word), offer every candidate, then ask nearest_hint(). Borrows all strings.
 */
struct nearest {
	const char *word;
	const char *best;
	size_t distance;
};
#define NEAREST_OF(text)                                                                           \
	{                                                                                          \
		.word = (text)                                                                     \
	}

void nearest_offer(struct nearest *n, const char *candidate);

/* The best candidate where it is near enough to be what was meant, or NULL. */
const char *nearest_best(const struct nearest *n);

/* " (did you mean PREFIXbest?)" or "", in @buf. Returns @buf. */
#define NEAREST_HINT_MAX 160
const char *nearest_hint(const struct nearest *n, const char *prefix, char buf[NEAREST_HINT_MAX]);
