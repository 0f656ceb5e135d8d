/* SPDX-License-Identifier: MIT */
/* gconv-modules: which file converts which character set (glibc, iconv/gconv_conf.c). Pure text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct gconv_row {
	char *charset; /* upper case, without its slashes: "LATIN1" */
	char *value;   /* of an alias the charset it stands for, else a module: "ISO8859-1" */
	bool alias;
};

struct gconv {
	struct gconv_row *v; /* sorted by charset */
	size_t n;
};
#define GCONV_INIT                                                                                 \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_GCONV CLEANUP(gconv_done)
void gconv_done(struct gconv *g);

/* Adds the rows of @text; what is not understood is dropped. */
void gconv_parse(const char *text, size_t len, struct gconv *ret);

/* Adds the modules (as written: names relative to the file's directory, mostly without ".so") that
 * convert @charset, in any case and by any of its aliases, to or from the internal form. */
void gconv_modules(const struct gconv *g, const char *charset, struct strv *ret);
