/* SPDX-License-Identifier: MIT */
/* Errors: 0 is good, a positive value an outcome documented at the prototype, a negative one
 * -errno.
 *
 * Where the callee knows more than a number (a path, a line, what to do about it) it takes a
 * struct err last: owned by the caller, on the stack, fixed in size, nothing to release. The callee
 * writes the message once with err_set(); callers on the way up may put context before it with
 * err_prefix(). Only src/cmd and src/main.c print it. A message says what failed, on which path or
 * line, and what to do; never only an errno. */
#pragma once

#include "base/attr.h"

struct err {
	int code; /* the negative errno, or 0 */
	char msg[1024];
};

/* Writes the message and returns @code, which must be negative. @e may be NULL. */
int err_set(struct err *e, int code, const char *fmt, ...) PRINTF(3, 4);

/* As err_set() with ": strerror(-code)" appended. */
int err_errno(struct err *e, int code, const char *fmt, ...) PRINTF(3, 4);

/* Puts "context: " before the message that is there. Returns e->code, and -EIO where @e is NULL or
 * the callee set no code: what failed never becomes good here. */
int err_prefix(struct err *e, const char *fmt, ...) PRINTF(2, 3);
