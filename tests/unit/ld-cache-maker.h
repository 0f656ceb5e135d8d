/* SPDX-License-Identifier: MIT */
/* Makes an ld.so.cache for tests, byte by byte. Entries stand in the order in which they are put:
 * descending by name, as the loader wants them. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A cache while it is written: header, entries, strings. */
struct cache_maker {
	char b[4096];
	size_t n, entries, strings;
};

#define CACHE_HEADER 48
#define CACHE_ENTRY  24
#define CACHE_HWCAP  (UINT64_C(1) << 62)

static inline void cache_word(struct cache_maker *m, size_t at, uint32_t value)
{
	memcpy(m->b + at, &value, 4);
}

static inline uint32_t cache_text(struct cache_maker *m, const char *s)
{
	size_t at = m->n;

	memcpy(m->b + at, s, strlen(s) + 1);
	m->n += strlen(s) + 1;
	return (uint32_t)at;
}

static inline struct cache_maker cache_new(size_t entries)
{
	struct cache_maker m = {.n = CACHE_HEADER + entries * CACHE_ENTRY};

	memcpy(m.b, "glibc-ld.so.cache1.1", 20);
	cache_word(&m, 20, (uint32_t)entries);
	m.b[28] = 2;
	m.strings = m.n;
	return m;
}

static inline void cache_entry(struct cache_maker *m, const char *name, const char *path,
			       uint32_t flags, uint64_t hwcap)
{
	size_t at = CACHE_HEADER + m->entries++ * CACHE_ENTRY;

	cache_word(m, at, flags);
	cache_word(m, at + 4, cache_text(m, name));
	cache_word(m, at + 8, cache_text(m, path));
	memcpy(m->b + at + 16, &hwcap, 8);
	cache_word(m, 24, (uint32_t)(m->n - m->strings));
}

/* A generator, as ldconfig writes it, and the names of capabilities. */
static inline void cache_extension(struct cache_maker *m, const char *const *names, uint32_t n)
{
	uint32_t offsets[8], generator = cache_text(m, "ldconfig of the host");

	for (uint32_t i = 0; i < n; i++)
		offsets[i] = cache_text(m, names[i]);
	size_t at = (m->n + 3) / 4 * 4;
	cache_word(m, 32, (uint32_t)at);
	const uint32_t words[] = {0xeaa42174,	       2,    0, 0, generator, 20, 1, 0,
				  (uint32_t)(at + 40), 4 * n};
	memcpy(m->b + at, words, sizeof(words));
	memcpy(m->b + at + 40, offsets, 4 * n);
	m->n = at + 40 + 4 * n;
}
