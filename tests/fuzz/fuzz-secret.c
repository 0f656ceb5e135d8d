/* SPDX-License-Identifier: MIT */
/* Any text as the head of a file that may be a secret: comments before it change nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "text/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_STR char *text = xstrndup((const char *)data, size);
	CLEANUP_STR char *behind = xasprintf("# a comment\n\n  # another\n%s", text);

	if (secret_text(text) != secret_text(behind))
		abort();
	secret_name(text);
	return 0;
}
