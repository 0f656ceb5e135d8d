/* SPDX-License-Identifier: MIT */
/* Strings: small tests, and struct strv, a growing list of owned strings. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/attr.h"

static inline bool streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* What follows @prefix in @s, or NULL where @s does not start with it. */
static inline const char *str_after(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);
	return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

/* Whether @s is something with @end behind it. */
static inline bool str_ends(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);
	return n > m && strcmp(s + n - m, end) == 0;
}

/* A list of strings it owns; v[n] is always NULL once anything was added, so that v serves as an
 * argv or envp. Zero-initialise with STRV_INIT, release with strv_done(). */
struct strv {
	char **v;
	size_t n;
};
#define STRV_INIT                                                                                  \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_STRV CLEANUP(strv_done)

void strv_done(struct strv *sv);
void strv_add(struct strv *sv, const char *s); /* copies s */
void strv_take(struct strv *sv, char *s);      /* takes s over */
void strv_add_all(struct strv *sv, const struct strv *from);
/* Adds the words of @text between any of the bytes of @separators; no empty ones. */
void strv_split(struct strv *sv, const char *text, const char *separators);
bool strv_has(const struct strv *sv, const char *s);
/* Sorts by strcmp and drops equal neighbours. */
void strv_sort_unique(struct strv *sv);

/* Makes @s fit for a terminal: all but printable ASCII becomes '?', in place (UTF-8 can hide or
 * turn text round as well as escape sequences can). Whatever a jailed service can name must pass
 * through here before it is printed. */
char *str_printable(char *s);

/* Whether it is a name that needs no quotes anywhere, as a jail has: [A-Za-z0-9][A-Za-z0-9._@-]*,
 * at most STR_NAME_MAX bytes. */
#define STR_NAME_MAX 64
bool str_is_name(const char *s);
