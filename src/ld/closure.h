/* SPDX-License-Identifier: MIT */
/* What a loader has loaded: a program with its libraries, or a module and what it adds to a
 * program. Libraries are found through foresee/search.h; this is the order and the names by which
 * one that is there already is known: the name it was asked by, its path, its DT_SONAME. */
#pragma once

#include "ld/search.h"

/* One object, and why it was loaded. */
struct member {
	struct loaded loaded;
	char *path; /* as found */
	/* "needed by", "filter of", "preloaded into"; NULL: the program or module, its loader */
	const char *relation;
	const struct member *by;
	char *name, *how; /* "libssl.so.3", "by ld.so.cache" */
};

struct closure {
	struct search *search;	       /* borrowed */
	const struct loader *loader;   /* borrowed */
	const struct closure *program; /* of a module: what is there already. Borrowed, or NULL */
	struct member **v;	       /* the first is the program or module */
	size_t n;
	struct member_name *names;
	struct strv missing; /* texts */
	bool taken;	     /* struct libraries': the members are evidence */
};

/* All that loading @of brings, breadth first. @preload: names that are loaded before all others. */
struct closure *closure_new(struct search *s, const struct loader *loader, struct library *of,
			    const struct closure *program, const struct strv *preload);
void closure_free(struct closure *c);
DEFINE_FREEP(struct closure, closure);
#define CLEANUP_CLOSURE CLEANUP(closure_freep)
