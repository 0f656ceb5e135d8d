/* SPDX-License-Identifier: MIT */
/* The dynamic section of an ELF file and the tables it points to, as the loader reads them: by
 * address, through the segments; section headers are not looked at. Private to this layer.
 *
 * Functions return 0 or -errno as elf/image.h says; -ENOEXEC is "not in the file". */
#pragma once

#include "base/attr.h"
#include "elf/image.h"

/* Tags of which one value counts (as in the loader, the last). */
enum dynamic_slot {
	DYNAMIC_STRTAB,
	DYNAMIC_STRSZ,
	DYNAMIC_SYMTAB,
	DYNAMIC_HASH,
	DYNAMIC_GNU_HASH,
	DYNAMIC_VERNEED,
	DYNAMIC_VERNEEDNUM,
	DYNAMIC_VERDEF,
	DYNAMIC_VERDEFNUM,
	DYNAMIC_FLAGS_1,
	DYNAMIC_OTHERS, /* more tables, which only bound those above */
	DYNAMIC_SLOTS = DYNAMIC_OTHERS + 8
};

struct dynamic_entry {
	uint64_t tag, value;
};

struct dynamic {
	struct image *im;
	struct elf_header header;
	struct elf_segment *segments;
	size_t n_segments;
	struct dynamic_entry *entries; /* up to DT_NULL; NULL: a static program */
	size_t n_entries;
	uint64_t slots[DYNAMIC_SLOTS]; /* 0: absent */
	uint8_t *strings;	       /* a NUL stands behind them */
	size_t n_strings;
};
#define CLEANUP_DYNAMIC CLEANUP(dynamic_done)
void dynamic_done(struct dynamic *d);

/* Reads the segments of @im, whose header stands in d->header, then the dynamic section and its
 * strings. *ret_part is what was being read, for the message. */
int dynamic_read(struct dynamic *d, const char **ret_part);

/* Copies @n bytes at @address of the loaded program. */
int dynamic_get(struct dynamic *d, uint64_t address, size_t n, void *buf);

/* The same into a new buffer. */
int dynamic_load(struct dynamic *d, uint64_t address, uint64_t n, uint8_t **ret);

/* How many bytes of the file lie from @address to the end of its segment; 0 where none does. */
uint64_t dynamic_room(const struct dynamic *d, uint64_t address);

/* The string at @at of the table, or NULL beyond its end. */
const char *dynamic_string(const struct dynamic *d, uint64_t at);
