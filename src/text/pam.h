/* SPDX-License-Identifier: MIT */
/* pam.conf(5), pam.d(5): one file's lines. Pure text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct pam_line {
	char *service; /* of /etc/pam.conf; "" in pam.d */
	char *type;    /* auth, account, password, session; "" of @include */
	char *control; /* "required", "[success=1 default=ignore]", "include", "substack",
			  "@include" */
	char *module;  /* path or name as written; of an include the file's name */
	struct strv arguments;
	unsigned line;
};

struct pam_lines {
	struct pam_line *v;
	size_t n;
};
#define PAM_LINES_INIT                                                                             \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_PAM_LINES CLEANUP(pam_lines_done)
void pam_lines_done(struct pam_lines *p);

/* Adds the lines of @text. @conf: /etc/pam.conf, with a service name first. Continued lines (\ at
 * the end) are one; the line's number is that of its first. */
void pam_parse(const char *text, size_t len, bool conf, struct pam_lines *ret);
