/* SPDX-License-Identifier: MIT */
/* The file syntax of systemd.syntax(7): [Section], KEY=VALUE, comments with # or ;, lines joined by
 * a backslash at their end. libinih does the splitting; what it does not know (joined lines, exact
 * line numbers, bytes that have no business in a text) is done here before it sees a line. */
#pragma once

#include <stddef.h>

#include "base/err.h"

#define INI_TEXT_MAX (1u << 20) /* bytes; as systemd's LONG_LINE_MAX, here for the whole file */

/* Called for each KEY=VALUE. @section is "" before the first header. @line is where the entry
 * begins, from 1. @value is NULL where the line has no "=": then @key is the whole line. Both are
 * NULL for a section's header. Strings are valid during the call. A negative return ends the
 * parsing and is passed on. */
typedef int (*ini_text_fn)(void *user, const char *section, const char *key, const char *value,
			   unsigned line, struct err *e);

/* Feeds @len bytes of @text, called @file in messages, to @fn. -EINVAL with "FILE:LINE: ..." where
 * the text cannot be read further: a control byte, invalid UTF-8, a section without its "]";
 * -EFBIG beyond INI_TEXT_MAX. */
int ini_text_parse(const char *text, size_t len, const char *file, ini_text_fn fn, void *user,
		   struct err *e);

/* Whether @s may stand as a value in such a file and comes back the same: valid UTF-8, no control
 * byte but TAB, no blank at either end, no backslash that would join the next line. */
int ini_text_value_ok(const char *s, struct err *e);
