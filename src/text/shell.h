/* SPDX-License-Identifier: MIT */
/* Inside of the reader of shell text: one pass over the bytes, each looked at once. shell-word.c
 * reads words with what is quoted and expanded in them, shell.c tells which of them are commands.
 */
#pragma once

#include "text/script-words.h"

/* Command substitutions and functions in one another, deeper than which the rest is not read. */
#define SHELL_DEPTH_MAX 24

/* A longer word names nothing. */
#define SHELL_WORD_MAX 1024

#define SHELL_HERE_MAX	    8
#define SHELL_INNER_MAX	    65536
#define SHELL_VARIABLES_MAX 256

/* What one script has in common with the scripts inside it (sh -c '...', eval, $(...)). */
struct shell_script {
	struct script_words *found;
	struct strv functions; /* defined anywhere in it */
	struct strv variables; /* "NAME=value", where the value is plain text; the last counts */
	unsigned depth;
	size_t inner; /* bytes of scripts inside read so far: they can grow by their variables */
};

struct shell_here {
	char end[64];
	size_t n;
	bool tabs;   /* "<<-": tabs before its lines do not count */
	bool quoted; /* nothing in it is expanded */
};

struct shell {
	struct shell_script *script;
	const char *text;
	size_t len, at;
	unsigned line, last_line; /* a text that was expanded has more lines than it stands on */
	char close;		  /* what ends this list of commands: ')' of "$(", '`', or 0 */
	struct shell_here here[SHELL_HERE_MAX];
	size_t n_here;
};

struct shell_word {
	char text[SHELL_WORD_MAX];
	size_t n;
	unsigned line;
	bool plain;  /* nothing in it is known only when it runs */
	bool quoted; /* some of it is: no reserved word, no assignment */
};

/* What a word means where a command is expected. */
enum shell_role_kind {
	ROLE_STAY, /* a command may follow: "then", "{" */
	ROLE_CASE,
	ROLE_FOR,	/* names and words follow: no command */
	ROLE_FUNCTION,	/* a name follows */
	ROLE_BUILTIN,	/* of the shell itself */
	ROLE_TEST,	/* "[[": words up to "]]" */
	ROLE_READ,	/* ".": a file of shell text */
	ROLE_EVAL,	/* its words are shell text */
	ROLE_TRAP,	/* its first word is */
	ROLE_INTERPRET, /* a shell: so is what follows -c */
	ROLE_PREFIX,	/* runs the command that follows its options */
};

struct shell_role {
	const char *name;
	enum shell_role_kind role;
	bool program;	     /* it is one itself */
	const char *options; /* ROLE_PREFIX: letters that take the next word */
	unsigned operands;   /* and words between them and the command or script */
};

/* The role of a word where a command is expected, or NULL: a program like any other. */
const struct shell_role *shell_role_of(const struct shell_word *w);

static inline bool shell_more(const struct shell *s)
{
	return s->at < s->len;
}

/* The byte @ahead of the next, or 0 behind the end. */
static inline char shell_peek(const struct shell *s, size_t ahead)
{
	return ahead < s->len - s->at ? s->text[s->at + ahead] : '\0';
}

static inline void shell_count_line(struct shell *s)
{
	if (s->line < s->last_line)
		s->line++;
}

static inline bool shell_is_name(char c, bool first)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (!first && c >= '0' && c <= '9');
}

/* Reads one word from where it begins; leaves s->at behind it. Nothing may be read (an operator).
 * Commands substituted in it are found on the way. */
void shell_read_word(struct shell *s, struct shell_word *w);

/* At the "((" of an expression: past the parentheses that close it. */
void shell_skip_arithmetic(struct shell *s);

/* Skips the bodies of the here-documents whose lines begin at s->at. */
void shell_skip_here(struct shell *s);

/* Reads commands up to @close, which is taken, or the end. */
void shell_read_commands(struct shell *s, char close);
