/* SPDX-License-Identifier: MIT */
/* Words of a value, as systemd splits them (systemd.syntax(7), "Quoting"): blanks separate, single
 * and double quotes hold together, backslash escapes of C where asked for. */
#pragma once

#include "base/err.h"
#include "base/str.h"

enum words_flag {
	WORDS_UNESCAPE = 1u << 0, /* \n \t \s \x41 \101 \u00e9 ...; else "\" just keeps its char */
	WORDS_RELAXED = 1u << 1,  /* an escape nobody knows stays as it is; else it is an error */
	WORDS_OPEN = 1u << 2,	  /* the end of the text ends a quote too; else it is an error */
};

/* Appends the words of @text to @ret. -EINVAL for a quote without its end, or a bad escape. */
int words_split(const char *text, unsigned flags, struct strv *ret, struct err *e);

/* One step of it: the word at *text, new, and *text after it and the blanks that follow. Returns 1,
 * 0 at the end of the text, or -EINVAL. Where @ret_quoted is given it tells whether a quote or an
 * escape took part in the word. */
int words_next(const char **text, unsigned flags, char **ret, bool *ret_quoted, struct err *e);

/* @word so quoted that words_split() with WORDS_UNESCAPE gives it back, new. */
char *words_quote(const char *word);

/* A shell command as one line: itself, or where it has newlines, tabs or blanks at its ends, $"..."
 * with C escapes (no command begins so). Both give new strings. */
char *words_shell_encode(const char *command);
int words_shell_decode(const char *text, char **ret, struct err *e);

/* @text with each character that is one of @special doubled ("%" in what has specifiers), new. */
char *words_double(const char *text, const char *special);
