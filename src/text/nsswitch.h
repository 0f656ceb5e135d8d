/* SPDX-License-Identifier: MIT */
/* nsswitch.conf(5): which services answer which database. Pure text. */
#pragma once

#include <stddef.h>

struct nsswitch_word {
	char *database; /* "passwd" */
	char *service;	/* "files" */
	unsigned line;
};

struct nsswitch {
	struct nsswitch_word *v;
	size_t n;
};
#define NSSWITCH_INIT                                                                              \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_NSSWITCH CLEANUP(nsswitch_done)
void nsswitch_done(struct nsswitch *n);

/* Adds the words of @text; actions in brackets are no services. A database that is absent has
 * glibc's default ("files", hosts: "dns files"): nsswitch_defaults() adds those, with line 0. */
void nsswitch_parse(const char *text, size_t len, struct nsswitch *ret);
void nsswitch_defaults(struct nsswitch *ret);
