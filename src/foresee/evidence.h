/* SPDX-License-Identifier: MIT */
/* Evidence: why a path belongs in a jail.
 *
 * A graph. Each node is a canonical path of the host; each of its reasons names the path it comes
 * from, and so on back to the service's command, which comes from nothing. Every module of this
 * layer looks at one path and takes others into the evidence; none of them copies anything. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <uthash.h>

#include "base/attr.h"
#include "base/str.h"

enum reason_kind {
	REASON_COMMAND,	    /* a command of the spec */
	REASON_USED,	    /* a run of a twin touched it */
	REASON_SPEC,	    /* Include= and its kin */
	REASON_INTERPRETER, /* of a script or a dynamic program */
	REASON_NEEDED,	    /* a library, by the loader's rules */
	REASON_CORE,	    /* core library tree of an interpreter */
	REASON_MODULE,	    /* a module that a script uses by name */
	REASON_FAMILY,	    /* what a symbol, library or file foretells */
	REASON_NAMED,	    /* in a configuration file, environment or command line */
	REASON_RUN,	    /* a program that a script or a configuration value runs */
	REASON_COMPILED,    /* a path in a program's own data */
	REASON_WAY,	    /* a link or directory on the way to another path */
	REASON_BELOW,	    /* in a directory taken as a whole */
	REASON_PACKAGE,	    /* of the same package */
	REASON_MADE,	    /* made for the jail */
	REASON_COUNT
};

/* "command", "needed" ...; reason_parse() is REASON_COUNT for an unknown word. */
const char *reason_name(enum reason_kind k);
enum reason_kind reason_parse(const char *word);

/* Whether a reason of this kind is foresight: known without a run. */
bool reason_is_foreseen(enum reason_kind k);

struct reason {
	enum reason_kind kind;
	char *from; /* canonical path it comes from, or NULL */
	char *text; /* for people, whole: "needed by /usr/sbin/apache2 (libssl.so.3)" */
};

void reason_done(struct reason *r);

/* Adds a reason to the @n of list @v, all copied; one that is there already (kind and text), and
 * one more than @max, is passed over. @v has room for @max. */
void reason_add(struct reason *v, size_t *n, size_t max, enum reason_kind kind, const char *from,
		const char *text);

/* Reasons kept of one path: the first few tell; a libc is needed by everything. */
#define REASONS_MAX 6

struct node {
	char *path;
	struct stat st;
	struct reason reasons[REASONS_MAX];
	size_t n_reasons;
	struct node *next; /* in the order in which they were taken */
	UT_hash_handle hh;
};

/* A path that foresight came upon and leaves out, and why: shown in the summary. */
struct left_out {
	char *path, *text;
	bool named; /* by name, not only as one of the files of a directory */
};

void left_out_free(struct left_out *v, size_t n);

struct evidence {
	int host; /* O_PATH root, borrowed */
	struct node *nodes;
	struct node *first, *last;
	struct left_out *secrets; /* never copied by foresight, only when opened */
	size_t n_secrets;
	struct left_out *passed; /* whole trees and the like that a token does not pull in */
	size_t n_passed;
};

struct evidence *evidence_new(int host);
void evidence_free(struct evidence *ev);
DEFINE_FREEP(struct evidence, evidence);
#define CLEANUP_EVIDENCE CLEANUP(evidence_freep)

/* Takes @path (absolute, any) with one reason: the canonical path it leads to, and each link on the
 * way as REASON_WAY. NULL where the host has nothing there, where it is neither file nor directory
 * nor character device, below /proc and /sys, and where it is a secret (see evidence_secret()),
 * which is noted. A directory is taken as the directory alone. The node is the evidence's. */
struct node *evidence_take(struct evidence *ev, const char *path, enum reason_kind kind,
			   const char *from, const char *fmt, ...) PRINTF(5, 6);

/* As evidence_take(), for every path that glob @pattern matches. Returns how many were taken. */
size_t evidence_take_glob(struct evidence *ev, const char *pattern, enum reason_kind kind,
			  const char *from, const char *fmt, ...) PRINTF(5, 6);

/* Takes all below directory @dir, at most @max files: else nothing of it, and the directory is
 * noted as passed. @skip (may be NULL) are names of entries left out, NULL-terminated. Returns the
 * number of files, or -EFBIG. The reason is REASON_BELOW from @dir, which is taken with @kind. */
int evidence_take_tree(struct evidence *ev, const char *dir, size_t max, const char *const *skip,
		       enum reason_kind kind, const char *from, const char *fmt, ...) PRINTF(7, 8);

/* Secrets may be taken too: what was opened, what the spec includes. */
struct node *evidence_take_used(struct evidence *ev, const char *path, enum reason_kind kind,
				const char *from, const char *fmt, ...) PRINTF(5, 6);

struct node *evidence_find(const struct evidence *ev, const char *canonical);

/* Notes a directory or file that is not pulled in, with the rule that says so. */
void evidence_pass(struct evidence *ev, const char *path, const char *fmt, ...) PRINTF(3, 4);

/* Forgets that a secret was left out: it is in the jail for another reason. */
void evidence_forget_secret(struct evidence *ev, const char *path);

/* Whether the file is a secret: shown by its owner to nobody else, or a key. A program is none, but
 * what is merely executable may be: a key of mode 700. @path is canonical. */
bool evidence_secret(int host, const char *path, const struct stat *st);

/* Whether it is one by its text or name (text/secret.h), whatever its mode. */
bool evidence_key(int host, const char *path, const struct stat *st);
