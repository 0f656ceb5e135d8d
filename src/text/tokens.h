/* SPDX-License-Identifier: MIT */
/* Words in configuration text that could be paths or commands, whatever the format.
 *
 * No parser of any service's language: comments, quotes, separators and brackets as nearly all of
 * them have them (INI, Apache, nginx, BIND, YAML, JSON, XML, shell-like, key=value). Bounded; on
 * bytes; pure text, no file is looked at. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum token_kind {
	TOKEN_PATH, /* absolute: "/etc/x", also in "unix:/run/x", "hash:/etc/aliases", "file:///x"
		     */
	TOKEN_RELATIVE, /* a slash or a dot-extension inside: "conf/magic", "modules/mod_x.so" */
	TOKEN_WORD,	/* one plain word of a value: a name of something, perhaps of a file */
	TOKEN_COMMAND,	/* a whole value that is run: after a pipe sign, or a key says so */
};

struct token {
	enum token_kind kind;
	char *text; /* unquoted; for TOKEN_COMMAND the command line */
	char *key;  /* first word of its line or the name before "=" or ":", lower case; "" where
		       none */
	unsigned line;
	bool glob; /* has unquoted wildcards */
};

struct tokens {
	struct token *v;
	size_t n;
};
#define TOKENS_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_TOKENS CLEANUP(tokens_done)
void tokens_done(struct tokens *t);

/* Adds the tokens of @text, at most @max. A commented line gives none: '#' and ';' at a line's or
 * word's beginning, "//" and C comments outside of words, "<!-- -->". */
void tokens_read(const char *text, size_t len, size_t max, struct tokens *ret);

/* Whether a key's value is run by what reads it: words such as command, exec, shell, program, pipe,
 * agent, hook in it. A table. */
bool token_key_runs(const char *key);

/* Whether a key names a directory that relative paths start from: serverroot, directory, root,
 * prefix, basedir, chdir, datadir, queue_directory ... A table. */
bool token_key_prefix(const char *key);

/* Whether a key's value names an account: user, group, owner, uid, run_as ... A table. */
bool token_key_account(const char *key);
