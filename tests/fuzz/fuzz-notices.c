/* SPDX-License-Identifier: MIT */
/* Any bytes as what a service tells: what is passed on is printable lines of known keys. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "keep/notices.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct notices n = NOTICES_INIT;
	CLEANUP_STR char *out = notices_take(&n, (const char *)data, size, size & 1);

	for (const char *s = out; *s; s++)
		if (*s != '\n' && (*s < ' ' || *s > '~'))
			abort();
	if (out[0] && (out[0] == '\n' || out[strlen(out) - 1] != '\n'))
		abort();
	return 0;
}
