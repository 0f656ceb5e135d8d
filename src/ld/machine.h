/* SPDX-License-Identifier: MIT */
/* Machines: what the layout of libraries depends on, a row each, one for each ABI of a machine.
 *
 * References: glibc's sysdeps (shlib-versions, ldconfig.h, dl-cache.h, dl-procinfo), Debian's
 * multiarch tuples, musl's dynlink.c. All are known on every host: the programs of a sample root or
 * of a 32-bit service are not those of the kernel that runs here. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct machine {
	uint16_t em; /* EM_* */
	bool wide;
	uint32_t mask, value; /* e_flags of this ABI; mask 0: any */
	/* Of entries of ld.so.cache; 0: unknown. @cache_also: taken as well. */
	uint32_t cache, cache_also;
	const char *triplet;	/* Debian's directory in /lib and /usr/lib */
	const char *lib;	/* everybody else's: "lib64" */
	const char *loaders[3]; /* of glibc, where no program names one */
	const char *musl;	/* ld-musl-NAME.so.1 */
	/* What $PLATFORM can be, and directories below each library directory, by CPU; the latter
	 * are searched by glibc up to 2.36. NULL-terminated. */
	const char *platforms[6], *subdirs[6];
};

/* The row of a machine; one without name and directories for a machine that is not known. Static.
 */
const struct machine *machine_of(uint16_t em, bool wide, uint32_t e_flags);

/* Whether the loader of a program of @a takes a library of @b. */
bool machine_fits(const struct machine *a, const struct machine *b);
