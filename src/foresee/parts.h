/* SPDX-License-Identifier: MIT */
/* What the parts of a foresight share. Private to this layer. */
#pragma once

#include "foresee/families.h"
#include "foresee/foresee.h"
#include "foresee/interpreters.h"
#include "foresee/libraries.h"
#include "text/tokens.h"

struct foresee {
	const struct foresee_input *in;
	struct foresight *out;
	struct evidence *ev; /* out->evidence */
	struct libraries *libraries;
	struct families *families;
	const char *program;   /* canonical path of the main program, or NULL */
	const char *search;    /* PATH */
	struct strv words;     /* of configuration: charsets, zones, names of helpers */
	struct strv helpers;   /* directories of programs outside of PATH: /usr/lib/postfix/sbin */
	const struct node *at; /* the last one that was followed */
	struct strv scanned;   /* configuration files that were read */
	struct scan *scans;    /* their tokens */
	size_t n_scans, n_taken; /* n_taken of them were followed */
	struct embedded *embedded;
	size_t n_embedded;
};

/* Whether the service's accounts may write there, by owner and group (sticky and world-writable
 * directories are not meant). */
bool foresee_may_write(const struct foresee_input *in, const struct stat *st);

/* One of the modules or programs of a directory: whether the service will use it nobody knows. */
bool foresee_guesses(const struct node *n);

/* named.c: takes what stands at absolute @path, by the rules for what is named somewhere: a file
 * with all it needs, a directory by its class, nothing of a directory of everybody. */
void named_take(struct foresee *f, const char *path, enum reason_kind kind, const char *from,
		const char *text);

/* Whether canonical @path is of the service's own package, of a sibling from the same source, or
 * nobody's. */
bool named_is_own(const struct foresee *f, const char *path);

/* config.c: reads the configuration file at canonical @path, its words at once; config_take() takes
 * what all files read so far name. */
void config_read(struct foresee *f, const char *path);
void config_take(struct foresee *f);
void config_done(struct foresee *f);

/* Zones, charsets and the like that the administrator's own script names. */
void config_words(struct foresee *f, const char *text, size_t len);

/* Words of the command lines, paths among them. */
void config_arguments(struct foresee *f);

/* compiled.c: paths in the data of the service's own program or module @n. */
void compiled_take(struct foresee *f, const struct node *n);

/* content.c: programs and scripts in a directory that is bound from the host. */
void content_look(struct foresee *f, const char *dir);

/* logins.c: whether clients of the service's program @n name accounts; then homes and start files
 * of those who may log in, where it opens sessions. */
void logins_look(struct foresee *f, const struct node *n, const struct elf_object *o);

/* embedded.c: interpreters that come as a library of the service's object @n, with their core. */
void embedded_look(struct foresee *f, const struct node *n, const struct elf_object *o);

/* What the script at canonical @path loads where one of those of the language of @in reads it. */
void embedded_read(struct foresee *f, const struct interpreter *in, const char *path,
		   const char *text, size_t len);

/* Modules of those that the words of configuration name; words that came since the last call. */
void embedded_words(struct foresee *f);
void embedded_done(struct foresee *f);

/* Notes a directory to be bound; the first reason stays, writable wins. */
void foresee_dir(struct foresee *f, const char *path, bool writable, const char *text);
