/* SPDX-License-Identifier: MIT */
#include "base/nearest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 64

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;
	return least < c ? least : c;
}

static int same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Edit distance with swapped neighbours as one edit; letters match whatever their case. Three rows
 * of the matrix are kept: the one being filled, the last, and the one before (for the swap). */
static size_t distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	size_t rows[3][WORD_MAX + 1] = {0};

	if (la > WORD_MAX || lb > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *now = rows[i % 3];
		const size_t *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t change = last[j - 1] + !same(a[i - 1], b[j - 1]);
			now[j] = min3(last[j] + 1, now[j - 1] + 1, change);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
			    same(a[i - 2], b[j - 1]) && before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
	}
	return rows[la % 3][lb];
}

/* How far off a candidate may be. */
static size_t limit(const struct nearest *n)
{
	return 1 + strlen(n->word) / 4;
}

void nearest_offer(struct nearest *n, const char *candidate)
{
	size_t len = strlen(n->word), other = strlen(candidate);
	size_t d = len > other ? len - other : other - len;

	/* The beginning of a word is as good as a slip of the finger. */
	if (d > 1 && len >= 3 && strncasecmp(n->word, candidate, len) == 0)
		d = 1;
	else if (d <= limit(n)) /* it is at least the difference in length */
		d = distance(n->word, candidate);
	if (d <= limit(n) && (!n->best || d < n->distance)) {
		n->best = candidate;
		n->distance = d;
	}
}

const char *nearest_best(const struct nearest *n)
{
	return n->best;
}

const char *nearest_hint(const struct nearest *n, const char *prefix, char buf[NEAREST_HINT_MAX])
{
	const char *best = nearest_best(n);

	buf[0] = '\0';
	if (best)
		snprintf(buf, NEAREST_HINT_MAX, " (did you mean %s%s?)", prefix, best);
	return buf;
}
