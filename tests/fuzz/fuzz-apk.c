/* SPDX-License-Identifier: MIT */
/* Any bytes as apk's database. */
#include <stdint.h>

#include "package-checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packages *p CLEANUP_PACKAGES = package_db_new(-1, &apk_backend);
	struct span text = {(const char *)data, size};

	apk_parse(p, text);
	package_db_close(p);
	while (text.n) {
		struct span value = span_cut(&text, '\n'), key = span_cut(&value, ':');
		CLEANUP_STR char *name = span_dup(value);
		if (span_is(key, "P") && packages_find(p, name))
			check_package(p, value);
	}
	return 0;
}
