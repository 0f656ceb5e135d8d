/* SPDX-License-Identifier: MIT */
/* ld_cache_parse() on any bytes, and a cut of what it took: the same entries in the same order,
 * without those that were not kept. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ld/ld-cache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

static bool keep(const char *path, void *ctx UNUSED)
{
	return strlen(path) % 2 == 0;
}

static void check_same(const struct ld_cache_entry *a, const struct ld_cache_entry *b)
{
	must(streq(a->name, b->name) && streq(a->path, b->path) && a->flags == b->flags);
	must(!a->hwcap_name == !b->hwcap_name);
	must(a->hwcap_name ? streq(a->hwcap_name, b->hwcap_name) : a->hwcap == b->hwcap);
}

/* An entry for hardware whose name was out of range goes in a cut. */
static bool is_kept(const struct ld_cache_entry *entry)
{
	return keep(entry->path, NULL) && (entry->hwcap_name || entry->hwcap >> 32 != 1u << 30);
}

static void check_cut(const char *bytes, size_t len, const struct ld_cache *whole)
{
	struct ld_cache c CLEANUP_LD_CACHE = LD_CACHE_INIT;
	CLEANUP_STR char *cut = NULL;
	size_t cut_len, n = 0;

	if (ld_cache_cut(bytes, len, keep, NULL, &cut, &cut_len, NULL) < 0)
		return;
	must(ld_cache_parse(cut, cut_len, &c, NULL) == 0);
	for (size_t i = 0; i < whole->n; i++)
		if (is_kept(&whole->v[i])) {
			must(n < c.n);
			check_same(&whole->v[i], &c.v[n++]);
		}
	must(n == c.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_STR char *bytes = xcalloc(size + 1, 1);
	struct ld_cache c CLEANUP_LD_CACHE = LD_CACHE_INIT;
	struct err e = {0};
	size_t first;

	memcpy(bytes, data, size);
	int r = ld_cache_parse(bytes, size, &c, &e);
	must(r == 0 || (r == -EBADMSG && e.msg[0]));
	if (r < 0)
		return 0;
	for (size_t i = 0; i < c.n; i++) {
		size_t n = ld_cache_find(&c, c.v[i].name, &first);
		must(first <= c.n && n <= c.n - first);
	}
	check_cut(bytes, size, &c);
	return 0;
}
