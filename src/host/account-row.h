/* SPDX-License-Identifier: MIT */
/* The lines of passwd(5), group(5), shadow(5) and gshadow(5), on bytes. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "host/span.h"

#define ACCOUNT_FIELDS_MAX 5

/* A file's fields, one letter each: (n)ame, (p)assword that is hidden, (i)d, primary (g)roup,
 * (l)ist of users; '.' is copied. The last takes the rest of its line, colons too, as glibc reads
 * it. */
struct account_form {
	const char *fields;
	size_t min; /* so many must be there */
	bool group;
	const char *hidden; /* what stands for a password */
};
extern const struct account_form account_form_passwd, account_form_group, account_form_shadow,
    account_form_gshadow;

struct account_row {
	struct span fields[ACCOUNT_FIELDS_MAX]; /* the name is the first */
	size_t n;
	id_t id, gid; /* where the form has them */
};

/* The next line of *text that is understood is taken off it with those before; false at the end.
 * Comments and the "+" and "-" of NIS are not understood. */
bool account_row_next(const struct account_form *f, struct span *text, struct account_row *ret);

/* The first row of @text for @name; false where there is none. */
bool account_row_find(const struct account_form *f, struct span text, const char *name,
		      struct account_row *ret);
