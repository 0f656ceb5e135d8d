/* SPDX-License-Identifier: MIT */
/* Any bytes as what rpm prints. */
#include <stdint.h>

#include "package-checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packages *p CLEANUP_PACKAGES = package_db_new(-1, &rpm_backend);
	struct span text = {(const char *)data, size};

	rpm_parse(p, text);
	package_db_close(p);
	while (text.n) {
		struct span value = span_cut(&text, '\n'), key = span_cut(&value, '\t');
		struct span name = span_cut(&value, '\t');
		if (span_is(key, "P") && name.n)
			check_package(p, name);
	}
	return 0;
}
