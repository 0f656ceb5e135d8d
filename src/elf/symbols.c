/* SPDX-License-Identifier: MIT */
/* The dynamic symbols. Their number stands nowhere; it follows from a hash table. */
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "elf/object-parts.h"

/* The largest libraries that are known have some 200000. */
#define SYMBOLS_MAX (4u << 20)

static const struct elf_field st_name = ELF_FIELD(Sym, st_name);
static const struct elf_field st_shndx = ELF_FIELD(Sym, st_shndx);
static const struct elf_field st_info = ELF_FIELD(Sym, st_info);
static const size_t sym_size[] = {sizeof(Elf32_Sym), sizeof(Elf64_Sym)};

/* DT_HASH: nbucket, nchain. There are as many chain links as symbols. */
static int count_by_hash(struct dynamic *d, uint64_t *ret)
{
	const uint16_t machine = d->header.machine;
	bool long_words = d->header.layout.wide && (machine == EM_S390 || machine == EM_ALPHA);
	size_t size = long_words ? 8 : 4;
	uint8_t words[16];
	int r = dynamic_get(d, d->slots[DYNAMIC_HASH], 2 * size, words);

	if (r == 0)
		*ret = elf_number(words + size, size, d->header.layout);
	return r;
}

/* Where the chain that starts with symbol @i ends: at the first link with its lowest bit set. */
static int chain_end(struct dynamic *d, uint64_t chains, uint64_t first, uint64_t *i)
{
	uint8_t links[1024];

	for (;;) {
		uint64_t at = chains + 4 * (*i - first), room = dynamic_room(d, at);
		size_t n = room < sizeof(links) ? (size_t)room / 4 : sizeof(links) / 4;
		int r = n && *i < SYMBOLS_MAX ? dynamic_get(d, at, 4 * n, links) : -ENOEXEC;
		if (r < 0)
			return r;
		for (size_t k = 0; k < n; k++, (*i)++)
			if (elf_number(links + 4 * k, 4, d->header.layout) & 1)
				return 0;
	}
}

/* DT_GNU_HASH: nbuckets, first hashed symbol, bloom words, shift; bloom filter, buckets, chains. An
 * empty one (a program that exports nothing) tells no number: 0. */
static int count_by_gnu_hash(struct dynamic *d, uint64_t *ret)
{
	const struct elf_layout l = d->header.layout;
	uint64_t at = d->slots[DYNAMIC_GNU_HASH], last = 0;
	uint8_t head[16];
	CLEANUP_STR char *buckets = NULL;
	int r = dynamic_get(d, at, sizeof(head), head);

	if (r < 0)
		return r;
	uint64_t n = elf_number(head, 4, l), first = elf_number(head + 4, 4, l);
	at += sizeof(head) + elf_number(head + 8, 4, l) * (l.wide ? 8 : 4);
	r = dynamic_load(d, at, 4 * n, (uint8_t **)&buckets);
	for (size_t i = 0; r == 0 && i < n; i++) {
		uint64_t symbol = elf_number((uint8_t *)buckets + 4 * i, 4, l);
		last = symbol > last ? symbol : last;
	}
	if (r < 0 || last < first || !last)
		return r;
	r = chain_end(d, at + 4 * n, first, &last);
	*ret = last + 1;
	return r;
}

/* Without a table that tells, the symbols end where the next table begins. */
static uint64_t count_by_tables(const struct dynamic *d)
{
	uint64_t start = d->slots[DYNAMIC_SYMTAB], end = start + dynamic_room(d, start);
	static const unsigned numbers[] = {DYNAMIC_STRSZ, DYNAMIC_VERNEEDNUM, DYNAMIC_VERDEFNUM,
					   DYNAMIC_FLAGS_1};

	for (unsigned i = 0; i < DYNAMIC_SLOTS; i++) {
		bool address = true;
		for (size_t k = 0; k < ARRAY_LEN(numbers); k++)
			address = address && i != numbers[k];
		if (address && d->slots[i] > start && d->slots[i] < end)
			end = d->slots[i];
	}
	return (end - start) / sym_size[d->header.layout.wide];
}

static int count(struct dynamic *d, uint64_t *ret)
{
	int r = 0;

	*ret = 0;
	if (d->slots[DYNAMIC_GNU_HASH])
		r = count_by_gnu_hash(d, ret);
	if (r == 0 && !*ret && d->slots[DYNAMIC_HASH])
		r = count_by_hash(d, ret);
	if (r == 0 && !*ret)
		*ret = count_by_tables(d);
	return r == 0 && *ret > SYMBOLS_MAX ? -ENOEXEC : r;
}

static bool is_wanted(const struct dynamic *d, const uint8_t *symbol, bool defined)
{
	const struct elf_layout l = d->header.layout;
	bool local = ELF64_ST_BIND(elf_get(symbol, st_info, l)) == STB_LOCAL;
	return !local && (elf_get(symbol, st_shndx, l) != SHN_UNDEF) == defined;
}

int object_symbols(struct dynamic *d, bool defined, struct strv *ret)
{
	size_t size = sym_size[d->header.layout.wide];
	CLEANUP_STR char *table = NULL;
	uint64_t n;

	if (!d->slots[DYNAMIC_SYMTAB])
		return 0;
	int r = count(d, &n);
	if (r == 0)
		r = dynamic_load(d, d->slots[DYNAMIC_SYMTAB], n * size, (uint8_t **)&table);
	for (size_t i = 0; r == 0 && i < n; i++) {
		const uint8_t *symbol = (const uint8_t *)table + i * size;
		if (!is_wanted(d, symbol, defined))
			continue;
		const char *name = dynamic_string(d, elf_get(symbol, st_name, d->header.layout));
		if (name && *name)
			strv_add(ret, name);
	}
	strv_sort_unique(ret);
	return r;
}
