/* SPDX-License-Identifier: MIT */
/* Specifiers: %i, %n, %t ... of systemd.unit(5), "SPECIFIERS", as systemd 252's system manager has
 * them.
 *
 * A spec may use them in [Service], where the unit is NAME.service. A unit that is read into a spec
 * of another name must have those that speak of its name replaced at once; the others (host name,
 * machine id, directories) stay as text and are replaced whenever the spec is read. */
#pragma once

#include "base/err.h"

struct specifier_context {
	const char *unit;     /* "postgresql@15-main.service" */
	const char *fragment; /* path of the unit file, for %y and %Y; NULL: they are unknown */
};

enum specifier_mode {
	SPECIFIER_ALL,	/* replace all, and "%%" by "%"; an unknown one is an error */
	SPECIFIER_NAME, /* only those of the unit's name; unknown ones become "%%x", a literal */
};

/* What a replacement is written into: words that are yet to be split need its blanks, quotes and
 * backslashes escaped. */
enum specifier_quoting { SPECIFIER_PLAIN, SPECIFIER_WORDS };

/* @text with its specifiers replaced, new in *ret. -EINVAL for an unknown one (SPECIFIER_ALL). */
int specifier_expand(const char *text, const struct specifier_context *context,
		     enum specifier_mode mode, enum specifier_quoting quoting, char **ret,
		     struct err *e);

/* A unit name's escaped part as it was: "-" is "/", "\x2d" is "-". New. */
char *specifier_unescape(const char *escaped, size_t len);
