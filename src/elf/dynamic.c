/* SPDX-License-Identifier: MIT */
#include "elf/dynamic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Honest sections have some 30 entries; those of a large program's plugins a few hundred. */
#define ENTRIES_MAX 65536

static const struct elf_field d_tag = ELF_FIELD(Dyn, d_tag);
static const struct elf_field d_val = ELF_FIELD(Dyn, d_un);
static const size_t dyn_size[] = {sizeof(Elf32_Dyn), sizeof(Elf64_Dyn)};

static const struct {
	uint64_t tag;
	unsigned slot;
} slots[] = {
    {DT_STRTAB, DYNAMIC_STRTAB},	 {DT_STRSZ, DYNAMIC_STRSZ},
    {DT_SYMTAB, DYNAMIC_SYMTAB},	 {DT_HASH, DYNAMIC_HASH},
    {DT_GNU_HASH, DYNAMIC_GNU_HASH},	 {DT_VERNEED, DYNAMIC_VERNEED},
    {DT_VERNEEDNUM, DYNAMIC_VERNEEDNUM}, {DT_VERDEF, DYNAMIC_VERDEF},
    {DT_VERDEFNUM, DYNAMIC_VERDEFNUM},	 {DT_FLAGS_1, DYNAMIC_FLAGS_1},
    {DT_VERSYM, DYNAMIC_OTHERS},	 {DT_RELA, DYNAMIC_OTHERS + 1},
    {DT_REL, DYNAMIC_OTHERS + 2},	 {DT_RELR, DYNAMIC_OTHERS + 3},
    {DT_JMPREL, DYNAMIC_OTHERS + 4},	 {DT_INIT, DYNAMIC_OTHERS + 5},
    {DT_PLTGOT, DYNAMIC_OTHERS + 6},	 {DT_INIT_ARRAY, DYNAMIC_OTHERS + 7},
};

void dynamic_done(struct dynamic *d)
{
	free(d->segments);
	free(d->entries);
	free(d->strings);
}

static int read_segments(struct dynamic *d)
{
	int r = elf_segments_check(&d->header);

	if (r < 0)
		return r;
	d->segments = xcalloc(d->header.phnum, sizeof(*d->segments));
	for (; r == 0 && d->n_segments < d->header.phnum; d->n_segments++)
		r = elf_segment_read(d->im, &d->header, d->n_segments, &d->segments[d->n_segments]);
	return r;
}

static const struct elf_segment *segment_at(const struct dynamic *d, uint64_t address)
{
	for (size_t i = 0; i < d->n_segments; i++) {
		const struct elf_segment *s = &d->segments[i];
		if (s->type == PT_LOAD && address >= s->vaddr && address - s->vaddr < s->filesz)
			return s;
	}
	return NULL;
}

uint64_t dynamic_room(const struct dynamic *d, uint64_t address)
{
	const struct elf_segment *s = segment_at(d, address);
	return s ? s->filesz - (address - s->vaddr) : 0;
}

static int find_offset(const struct dynamic *d, uint64_t address, uint64_t n, uint64_t *ret)
{
	const struct elf_segment *s = segment_at(d, address);

	if (!s || n > dynamic_room(d, address) || s->offset > UINT64_MAX - s->filesz)
		return -ENOEXEC;
	*ret = s->offset + (address - s->vaddr);
	return 0;
}

int dynamic_get(struct dynamic *d, uint64_t address, size_t n, void *buf)
{
	uint64_t at;
	int r = find_offset(d, address, n, &at);
	return r < 0 ? r : image_get(d->im, at, n, buf);
}

int dynamic_load(struct dynamic *d, uint64_t address, uint64_t n, uint8_t **ret)
{
	uint64_t at;
	int r = find_offset(d, address, n, &at);
	return r < 0 ? r : image_load(d->im, at, n, ret);
}

static void keep_slot(struct dynamic *d, const struct dynamic_entry *entry)
{
	for (size_t i = 0; i < ARRAY_LEN(slots); i++)
		if (slots[i].tag == entry->tag)
			d->slots[slots[i].slot] = entry->value;
}

static int read_entries(struct dynamic *d, const struct elf_segment *s)
{
	const struct elf_layout l = d->header.layout;
	size_t size = dyn_size[l.wide], n = s->filesz / size;
	CLEANUP_STR char *buf = NULL;
	int r =
	    n > ENTRIES_MAX ? -ENOEXEC : image_load(d->im, s->offset, n * size, (uint8_t **)&buf);

	if (r < 0)
		return r;
	d->entries = xcalloc(n, sizeof(*d->entries));
	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = (const uint8_t *)buf + i * size;
		struct dynamic_entry entry = {elf_get(p, d_tag, l), elf_get(p, d_val, l)};
		if (entry.tag == DT_NULL)
			break;
		keep_slot(d, &entry);
		d->entries[d->n_entries++] = entry;
	}
	return 0;
}

static int read_strings(struct dynamic *d)
{
	uint64_t size = d->slots[DYNAMIC_STRSZ];

	if (!d->slots[DYNAMIC_STRTAB])
		return 0;
	int r = dynamic_load(d, d->slots[DYNAMIC_STRTAB], size, &d->strings);
	if (r == 0)
		d->n_strings = (size_t)size;
	return r;
}

int dynamic_read(struct dynamic *d, const char **ret_part)
{
	const struct elf_segment *dynamic = NULL;
	int r;

	*ret_part = "table of segments";
	r = read_segments(d);
	for (size_t i = 0; r == 0 && i < d->n_segments; i++)
		if (d->segments[i].type == PT_DYNAMIC)
			dynamic = &d->segments[i];
	if (r < 0 || !dynamic)
		return r;
	*ret_part = "dynamic section";
	r = read_entries(d, dynamic);
	if (r < 0)
		return r;
	*ret_part = "table of dynamic strings";
	return read_strings(d);
}

const char *dynamic_string(const struct dynamic *d, uint64_t at)
{
	return at < d->n_strings ? (const char *)d->strings + at : NULL;
}
