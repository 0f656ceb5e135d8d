/* SPDX-License-Identifier: MIT */
/* An ELF file as bytes: its header, its segments and their fields, of either width and byte order.
 * Private to this layer. Reference: elf(5).
 *
 * An image is memory, or a file of which only the head was read and the rest is read where it is
 * asked for. Nothing is mapped: a file that shrinks meanwhile would kill us. All functions return 0
 * or -errno: -ENOEXEC where the file cannot have what it claims; -EAGAIN where memory is all there
 * is and it ends too early (then im->need says how much of the file would do). */
#pragma once

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image {
	const uint8_t *head; /* the first @len bytes, borrowed */
	size_t len;
	int fd;	       /* the others are behind it; or -1 */
	uint64_t size; /* of the whole */
	size_t need;   /* set with -EAGAIN */
};

struct image image_of_bytes(const void *bytes, size_t len);

/* Reads the head of @fd into @head, which must outlive the image. */
int image_open(struct image *im, int fd, uint8_t *head, size_t room);

/* Whether the head starts with these bytes. */
bool image_starts(const struct image *im, const void *magic, size_t n);

/* Copies bytes [@at, @at + @n) of the file. */
int image_get(struct image *im, uint64_t at, size_t n, void *buf);

/* The same into a new buffer with a NUL behind it, the caller's to free. */
int image_load(struct image *im, uint64_t at, uint64_t n, uint8_t **ret);

struct elf_layout {
	bool wide, big; /* 64 bits; big-endian */
};

/* Where a field lies in its structure and how wide it is, by class. */
struct elf_field {
	uint8_t at32, size32, at64, size64;
};
#define ELF_FIELD(type, name)                                                                      \
	{                                                                                          \
		offsetof(Elf32_##type, name), sizeof(((Elf32_##type *)0)->name),                   \
		    offsetof(Elf64_##type, name), sizeof(((Elf64_##type *)0)->name)                \
	}
uint64_t elf_get(const uint8_t *structure, struct elf_field f, struct elf_layout l);

/* A plain number of @size bytes. */
uint64_t elf_number(const uint8_t *p, size_t size, struct elf_layout l);

struct elf_header {
	struct elf_layout layout;
	uint16_t type, machine;
	uint32_t flags;
	uint64_t phoff;
	size_t phnum, phentsize;
};
int elf_header_read(struct image *im, struct elf_header *ret);

/* Whether a loader takes such a file at all: ET_EXEC and ET_DYN. */
bool elf_header_loads(const struct elf_header *h);

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, vaddr, filesz;
};

/* -ENOEXEC for segment headers that the kernel would refuse. */
int elf_segments_check(const struct elf_header *h);

/* The @i-th of h->phnum segments of a header that was checked. */
int elf_segment_read(struct image *im, const struct elf_header *h, size_t i,
		     struct elf_segment *ret);

/* What a PT_INTERP segment names, as load_elf_binary() reads it; -ENAMETOOLONG where it does not
 * fit. */
int elf_interp_read(struct image *im, const struct elf_segment *s, char *path, size_t size);
