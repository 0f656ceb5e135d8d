/* SPDX-License-Identifier: MIT */
/* Configuration text as pieces: words with what is quoted in them, and the marks between them.
 * Private to tokens.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum piece_kind {
	PIECE_END,
	PIECE_WORD,
	PIECE_LINE,  /* the end of a line that is not continued */
	PIECE_STOP,  /* ";", "{", "}": the end of a statement */
	PIECE_IS,    /* "=", "+=", "=>", and ":" behind a key: a value follows */
	PIECE_COMMA, /* or brackets: only a separator */
	PIECE_TAG,   /* "<": a key follows */
	PIECE_CLOSE, /* "</": a word follows that is none */
	PIECE_FULL,  /* ">": a value may follow */
};

#define PIECE_MAX 1024 /* of a word; a longer one is cut, and no path */

struct piece {
	enum piece_kind kind;
	size_t start, end; /* in the text */
	unsigned line;
	char text[PIECE_MAX];
	size_t n;
	bool quoted; /* it began with a quote */
	bool glob;   /* has unquoted wildcards */
	bool cut;
};

struct lexer {
	const char *text;
	size_t len, at;
	unsigned line;
	bool line_start; /* nothing but blanks since the line began */
	bool open[8];	 /* private: comments of a kind that is not closed */
};

/* The next piece. Comments are passed, and lines that end in a backslash go on. */
void lexer_next(struct lexer *l, struct piece *ret);

/* The end of the value that begins at @at: of its line, with those that continue it (by a
 * backslash, or with @indented because they begin with a blank), but not their comments. */
size_t lexer_value_end(const struct lexer *l, size_t at, bool indented);
