/* SPDX-License-Identifier: MIT */
/* Inside of the reader of Perl, Python and the like: no grammar, but a table of the words behind
 * which a module or a program is named (a dialect). calls.c walks a text and skips comments, and
 * strings where they can be told; what follows a word of the table is read by the function in its
 * row, on a copy of the scan that ends soon. */
#pragma once

#include "text/script-words.h"

struct script_scan {
	const struct dialect *dialect;
	const char *text;
	size_t len, at;
	unsigned line;
	size_t line_start;  /* where the line at hand begins */
	size_t word;	    /* where the word of the table began */
	bool lazy;	    /* inside a function */
	size_t lazy_indent; /* of the "def", where blocks are told by indentation */
	struct script_words *ret;
};

struct call {
	const char *name; /* whole, or what follows a joiner: "Popen" is also "subprocess.Popen" */
	void (*read)(struct script_scan *s);
};

struct dialect {
	const struct call *calls;
	const char *joiners; /* bytes inside a word besides letters, digits and "_" */
	struct {
		const char *begin, *end; /* without an end: the rest of the text */
	} comments[4];
	bool strings;		       /* quotes can be trusted, and what they hold is no code */
	bool backquotes;	       /* run a program */
	const char *shell;	       /* bytes in a command line for which it asks the shell */
	bool indents;		       /* functions are told by indentation, */
	bool braces;		       /* or end with a "}" that begins a line */
	const char *const (*signs)[2]; /* text anywhere, and the module it loads unseen */
};

extern const struct dialect calls_perl, calls_python, calls_ruby, calls_php, calls_node, calls_lua;

/* Steps. */
bool scan_more(const struct script_scan *s);
char scan_peek(const struct script_scan *s, size_t ahead); /* 0 behind the end */
bool scan_at(const struct script_scan *s, const char *text);
bool scan_at_any(const struct script_scan *s, const char *bytes);
void scan_advance(struct script_scan *s);
void scan_skip_blanks(struct script_scan *s, bool lines);
void scan_skip_to(struct script_scan *s, const char *bytes); /* any of them */

/* Bytes at hand that are a word, with @joiners. */
size_t scan_word(const struct script_scan *s, const char *joiners);

/* What stands before the table's word on its line, apart from blanks, or 0. */
char scan_before(const struct script_scan *s);

/* The copy for what follows. */
struct script_scan scan_arguments(const struct script_scan *s);

/* The string at hand, new, whatever delimits it; NULL where its end is not in sight. */
char *scan_string(struct script_scan *s);

/* The string behind blanks, parentheses and brackets ("['x'", "(r'x'", "(q{x}"), new, or NULL where
 * something else is first. */
char *scan_first_string(struct script_scan *s);

void scan_add(struct script_scan *s, const char *name, size_t n); /* a module */

/* The programs of a command line, and the shell where the language asks that one to read it. */
void scan_add_line(struct script_scan *s, const char *command_line);

/* What no language runs without a shell. */
#define SHELL_MARKS "|&;<>()$`*?~\n"

/* Rows of more than one dialect: what the first string after the word is. */
void call_module(struct script_scan *s);
void call_beside(struct script_scan *s);  /* a module, relative to the script */
void call_command(struct script_scan *s); /* a command line, or a program */
void call_quoted(struct script_scan *s); /* qx{...}, %x(...): the text itself is the command line */
void call_dirs(struct script_scan *s);	 /* all of the statement: directories for modules */
