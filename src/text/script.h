/* SPDX-License-Identifier: MIT */
/* Scripts: what their first line and their text say they will run and load.
 *
 * On bytes and bounded: a script is read as words, never understood. What is found too much is
 * harmless (a path that does not exist), what is found too little is grown later. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/str.h"

struct script_line {
	char interpreter[256]; /* "/usr/bin/env" */
	char argument[256];    /* the rest of the line, or "" */
	char program[256]; /* of an env line the program it names ("perl", "-S perl -w": "perl"), or
			      "" */
};

/* The "#!" line at the head of a file (fs/binfmt_script.c: 256 bytes). 1, or 0 where there is none.
 */
int script_line(const char *head, size_t len, struct script_line *ret);

enum script_language {
	SCRIPT_OTHER,
	SCRIPT_SHELL,
	SCRIPT_PERL,
	SCRIPT_PYTHON,
	SCRIPT_RUBY,
	SCRIPT_PHP,
	SCRIPT_NODE,
	SCRIPT_LUA,
	SCRIPT_LANGUAGES
};

/* One thing a script names: for SCRIPT_SHELL the first word of each simple command that is neither
 * built in nor a variable nor a function of the script ("date", "/usr/bin/env"), and as modules the
 * files it reads with "." or source; for the others a module ("File::Spec", "json.decoder",
 * ".sibling", "net/http", "./util.php") and the programs of the obvious calls (system, exec,
 * backquotes, qx, popen, subprocess). */
struct script_word {
	char *text;
	unsigned line;	      /* from 1 */
	bool module;	      /* else a program */
	bool lazy;	      /* in a function: loaded only when that is called */
	unsigned short chain; /* private: the next word of its bucket, from 1 */
};

/* Beyond these a text is no script that somebody wrote. */
#define SCRIPT_WORDS_MAX 4096
#define SCRIPT_TEXT_MAX	 (1 << 20)

struct script_words {
	struct script_word *v; /* in order, without repetition; at most SCRIPT_WORDS_MAX */
	size_t n;
	struct strv dirs; /* directories it adds to where modules are sought ("use lib '/x'") */
	unsigned short buckets[256]; /* private */
};
#define SCRIPT_WORDS_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_SCRIPT_WORDS CLEANUP(script_words_done)
void script_words_done(struct script_words *w);

/* Adds what @text, of which the first SCRIPT_TEXT_MAX bytes are read, names. Shell text may be one
 * command line ("cp %p /x && true"). */
void script_words(enum script_language language, const char *text, size_t len,
		  struct script_words *ret);
