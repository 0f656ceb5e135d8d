/* SPDX-License-Identifier: MIT */
/* Dynamic string tokens: $ORIGIN, $LIB and $PLATFORM in the paths of an object (ld.so(8)). */
#pragma once

#include "base/str.h"

struct ld_tokens {
	const char *origin;	      /* directory of the object that holds the text */
	const char *lib;	      /* "lib64", "lib/x86_64-linux-gnu" */
	const char *const *platforms; /* what the platform can be: NULL-terminated */
};

/* Adds @text with its tokens replaced, "$NAME" or "${NAME}"; others stay as they are. One string,
 * or with $PLATFORM one for each that there can be (none where none is known). */
void ld_token_expand(const char *text, const struct ld_tokens *t, struct strv *ret);
