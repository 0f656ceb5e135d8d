/* SPDX-License-Identifier: MIT */
/* Any bytes as tmpfiles.d(5): a directory has a mode, and names that are not empty. */
#include <stdint.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/str.h"
#include "text/tmpfiles.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = {"/run/x", "/", "/run/a b"};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct tmpfiles_dir d CLEANUP_TMPFILES_DIR = TMPFILES_DIR_INIT;
		if (!tmpfiles_find((const char *)data, size, paths[i], &d))
			continue;
		if (d.mode & ~07777u || (d.user && !*d.user) || (d.group && !*d.group))
			abort();
	}
	return 0;
}
