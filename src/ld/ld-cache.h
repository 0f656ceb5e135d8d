/* SPDX-License-Identifier: MIT */
/* /etc/ld.so.cache: where the loader finds libraries. Read as bytes, and cut to what a jail has.
 *
 * Formats: "ld.so-1.7.0" followed by "glibc-ld.so.cache1.1", and the latter alone (glibc 2.32 and
 * later), with the extension directory that names the glibc-hwcaps. Reference: glibc
 * elf/cache.c, sysdeps/generic/dl-cache.h. Byte order is that of the host. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct ld_cache_entry {
	const char *name; /* "libssl.so.3"; points into the cache's bytes */
	const char *path;
	uint32_t flags;		/* libc and ABI: 0x0303 x86-64, 0x0003 i386, 0x0a03 aarch64 ... */
	uint64_t hwcap;		/* 0: for every CPU; bit 62: an index into the hwcaps names */
	const char *hwcap_name; /* "x86-64-v3", or NULL */
};

struct ld_cache {
	struct ld_cache_entry *v; /* in the file's order: the loader's preference */
	size_t n;
};
#define LD_CACHE_INIT                                                                              \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_LD_CACHE CLEANUP(ld_cache_done)
void ld_cache_done(struct ld_cache *c);

/* @bytes must outlive @ret, and end with a NUL that @len does not count. -EBADMSG with what is
 * wrong. */
int ld_cache_parse(const char *bytes, size_t len, struct ld_cache *ret, struct err *e);

/* How many entries there are of @name, of every ABI and CPU, side by side from *ret_first on. Found
 * by halves as the loader does, which goes by an order of its own ("lib9" before "lib10"): what it
 * does not find in a cache that is not sorted, this does not. */
size_t ld_cache_find(const struct ld_cache *c, const char *name, size_t *ret_first);

/* The ABI flags of libraries of a machine (EM_*, class, e_flags), or 0 where unknown. */
uint32_t ld_cache_flags(uint16_t machine, bool wide, uint32_t e_flags);

/* A cache of only those entries that @keep says yes to, in the same order, as bytes that the loader
 * reads (glibc 2.2 and later): nothing in it tells of the others. (Entries for hardware without a
 * name, which no loader takes, go too.) New, the caller's. */
int ld_cache_cut(const char *bytes, size_t len, bool (*keep)(const char *path, void *ctx),
		 void *ctx, char **ret, size_t *ret_len, struct err *e);
