/* SPDX-License-Identifier: MIT */
/* What holds in every database of packages, whatever it was made of. */
#pragma once

#include <stdlib.h>

#include "base/alloc.h"
#include "host/package-db.h"

/* Each path of the package called @name is absolute, and somebody's: its own, if of one only. */
static inline void check_package(const struct packages *p, struct span name)
{
	struct strv files CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *text = span_dup(name);
	const struct package *package = packages_find(p, text);

	if (!package)
		abort();
	packages_files(p, package, &files);
	for (size_t i = 0; i < files.n; i++) {
		const struct package *owner = packages_owner(p, files.v[i]);
		size_t owners = packages_owners(p, files.v[i]);
		if (files.v[i][0] != '/' || !owner || !owners || (owners == 1 && owner != package))
			abort();
	}
}
