/* SPDX-License-Identifier: MIT */
/* A piece of text that somebody else owns: how line formats are read without copying. Empty, it may
 * point nowhere; what these functions give never does. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"

struct span {
	const char *s; /* not NUL-terminated */
	size_t n;
};

static inline struct span span_of(const char *s)
{
	return (struct span){s, strlen(s)};
}

/* A new string, the caller's; it ends at a NUL byte. */
static inline char *span_dup(struct span a)
{
	return a.n ? xstrndup(a.s, a.n) : xstrdup("");
}

static inline bool span_is(struct span a, const char *s)
{
	return strlen(s) == a.n && (!a.n || memcmp(a.s, s, a.n) == 0);
}

static inline bool span_same(struct span a, struct span b)
{
	return a.n == b.n && (!a.n || memcmp(a.s, b.s, a.n) == 0);
}

/* What stands before the first @mark, or all of it, is taken off *rest with the mark. */
static inline struct span span_cut(struct span *rest, char mark)
{
	if (!rest->n)
		return (struct span){"", 0};
	const char *end = memchr(rest->s, mark, rest->n);
	struct span head = {rest->s, end ? (size_t)(end - rest->s) : rest->n};
	size_t gone = head.n + (end != NULL);

	rest->s += gone;
	rest->n -= gone;
	return head;
}
