/* SPDX-License-Identifier: MIT */
/* Any bytes as dpkg's status, the list of each package and diversions, a byte 1 between. */
#include <stdint.h>

#include "package-checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packages *p CLEANUP_PACKAGES = package_db_new(-1, &dpkg_backend);
	struct span rest = {(const char *)data, size};
	struct span status = span_cut(&rest, '\1'), again = status;
	struct span list = span_cut(&rest, '\1');
	struct dpkg_entry en;

	dpkg_parse_list(p, list); /* of no package */
	while (dpkg_next(&status, &en)) {
		package_db_add(p, &en.text);
		dpkg_parse_list(p, list);
	}
	dpkg_parse_diversions(p, rest);
	package_db_close(p);
	while (dpkg_next(&again, &en))
		check_package(p, en.text.name);
	return 0;
}
