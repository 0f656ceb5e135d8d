/* SPDX-License-Identifier: MIT */
#include "elf/image.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

/* Bytes of program headers the kernel accepts at most (load_elf_phdrs()). */
#define PHDRS_MAX 65536

static const struct elf_field e_type = ELF_FIELD(Ehdr, e_type);
static const struct elf_field e_machine = ELF_FIELD(Ehdr, e_machine);
static const struct elf_field e_flags = ELF_FIELD(Ehdr, e_flags);
static const struct elf_field e_phoff = ELF_FIELD(Ehdr, e_phoff);
static const struct elf_field e_phentsize = ELF_FIELD(Ehdr, e_phentsize);
static const struct elf_field e_phnum = ELF_FIELD(Ehdr, e_phnum);
static const struct elf_field p_type = ELF_FIELD(Phdr, p_type);
static const struct elf_field p_flags = ELF_FIELD(Phdr, p_flags);
static const struct elf_field p_offset = ELF_FIELD(Phdr, p_offset);
static const struct elf_field p_vaddr = ELF_FIELD(Phdr, p_vaddr);
static const struct elf_field p_filesz = ELF_FIELD(Phdr, p_filesz);

static const size_t ehdr_size[] = {sizeof(Elf32_Ehdr), sizeof(Elf64_Ehdr)};
static const size_t phdr_size[] = {sizeof(Elf32_Phdr), sizeof(Elf64_Phdr)};

struct image image_of_bytes(const void *bytes, size_t len)
{
	return (struct image){.head = bytes, .len = len, .fd = -1, .size = len};
}

/* As much as there is, up to @n bytes: their number, or -errno. */
static ssize_t read_at(int fd, uint8_t *buf, size_t n, uint64_t at)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = pread(fd, buf + got, n - got, (off_t)(at + got));
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

int image_open(struct image *im, int fd, uint8_t *head, size_t room)
{
	struct stat st;
	ssize_t n = read_at(fd, head, room, 0);

	if (n < 0)
		return (int)n;
	if (fstat(fd, &st) < 0)
		return -errno;
	*im =
	    (struct image){.head = head, .len = (size_t)n, .fd = fd, .size = (uint64_t)st.st_size};
	return 0;
}

bool image_starts(const struct image *im, const void *magic, size_t n)
{
	return im->len >= n && memcmp(im->head, magic, n) == 0;
}

int image_get(struct image *im, uint64_t at, size_t n, void *buf)
{
	if (n > SSIZE_MAX || at > (uint64_t)SSIZE_MAX - n)
		return -ENOEXEC;
	if (at + n <= im->len) {
		memcpy(buf, im->head + at, n);
		return 0;
	}
	im->need = (size_t)at + n;
	if (im->fd < 0)
		return -EAGAIN;
	ssize_t got = read_at(im->fd, buf, n, at);
	if (got < 0)
		return (int)got;
	return (size_t)got == n ? 0 : -ENOEXEC;
}

int image_load(struct image *im, uint64_t at, uint64_t n, uint8_t **ret)
{
	/* Before the memory is asked for: sizes are anybody's claim. */
	if (n > im->size || at > im->size - n)
		return -ENOEXEC;
	CLEANUP_STR char *buf = xcalloc((size_t)n + 1, 1);
	int r = image_get(im, at, (size_t)n, buf);
	if (r == 0)
		*ret = (uint8_t *)steal_ptr(buf);
	return r;
}

uint64_t elf_number(const uint8_t *p, size_t size, struct elf_layout l)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | p[l.big ? i : size - 1 - i];
	return value;
}

uint64_t elf_get(const uint8_t *structure, struct elf_field f, struct elf_layout l)
{
	return elf_number(structure + (l.wide ? f.at64 : f.at32), l.wide ? f.size64 : f.size32, l);
}

/* The kernel takes class and byte order from the machine; nothing honest says otherwise there. */
int elf_header_read(struct image *im, struct elf_header *ret)
{
	uint8_t eh[sizeof(Elf64_Ehdr)];
	int r = image_get(im, 0, EI_NIDENT, eh);

	if (r < 0)
		return r;
	if ((eh[EI_CLASS] != ELFCLASS32 && eh[EI_CLASS] != ELFCLASS64) ||
	    (eh[EI_DATA] != ELFDATA2LSB && eh[EI_DATA] != ELFDATA2MSB))
		return -ENOEXEC;
	struct elf_layout l = {eh[EI_CLASS] == ELFCLASS64, eh[EI_DATA] == ELFDATA2MSB};
	r = image_get(im, 0, ehdr_size[l.wide], eh);
	if (r < 0)
		return r;
	*ret = (struct elf_header){.layout = l,
				   .type = (uint16_t)elf_get(eh, e_type, l),
				   .machine = (uint16_t)elf_get(eh, e_machine, l),
				   .flags = (uint32_t)elf_get(eh, e_flags, l),
				   .phoff = elf_get(eh, e_phoff, l),
				   .phnum = elf_get(eh, e_phnum, l),
				   .phentsize = elf_get(eh, e_phentsize, l)};
	return 0;
}

bool elf_header_loads(const struct elf_header *h)
{
	return h->type == ET_EXEC || h->type == ET_DYN;
}

int elf_segments_check(const struct elf_header *h)
{
	bool good = h->phentsize == phdr_size[h->layout.wide] && h->phnum > 0 &&
		    h->phnum * h->phentsize <= PHDRS_MAX;
	return good ? 0 : -ENOEXEC;
}

int elf_segment_read(struct image *im, const struct elf_header *h, size_t i,
		     struct elf_segment *ret)
{
	uint8_t ph[sizeof(Elf64_Phdr)];
	uint64_t step = i * h->phentsize;

	if (h->phoff > UINT64_MAX - step)
		return -ENOEXEC;
	int r = image_get(im, h->phoff + step, h->phentsize, ph);
	if (r < 0)
		return r;
	*ret = (struct elf_segment){.type = (uint32_t)elf_get(ph, p_type, h->layout),
				    .flags = (uint32_t)elf_get(ph, p_flags, h->layout),
				    .offset = elf_get(ph, p_offset, h->layout),
				    .vaddr = elf_get(ph, p_vaddr, h->layout),
				    .filesz = elf_get(ph, p_filesz, h->layout)};
	return 0;
}

int elf_interp_read(struct image *im, const struct elf_segment *s, char *path, size_t size)
{
	char name[PATH_MAX];
	uint64_t n = s->filesz;

	if (n < 2 || n > sizeof(name))
		return -ENOEXEC;
	int r = image_get(im, s->offset, n, name);
	if (r < 0)
		return r;
	if (name[n - 1] != '\0' || name[0] == '\0')
		return -ENOEXEC;
	n = strlen(name) + 1; /* the kernel opens it as a C string */
	if (n > size)
		return -ENAMETOOLONG;
	memcpy(path, name, n);
	return 0;
}
