/* SPDX-License-Identifier: MIT */
#include "elf/interp.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* What fs/exec.c reads of every file: BINPRM_BUF_SIZE. A "#!" line ends there at the latest. */
#define SCRIPT_HEAD 256

/* Bytes of program headers the kernel accepts at most (load_elf_phdrs()). */
#define PHDRS_MAX 65536

/* The file: its first bytes, and where there is a descriptor the others behind it. */
struct image {
	const uint8_t *head;
	size_t len;
	int fd;	     /* or -1 */
	size_t need; /* set with -EAGAIN */
};

/* Where a field lies in its structure and how wide it is, by class. */
struct field {
	uint8_t at32, size32, at64, size64;
};
#define FIELD(type, name)                                                                          \
	offsetof(Elf32_##type, name), sizeof(((Elf32_##type *)0)->name),                           \
	    offsetof(Elf64_##type, name), sizeof(((Elf64_##type *)0)->name)
static const struct field e_type = {FIELD(Ehdr, e_type)};
static const struct field e_phoff = {FIELD(Ehdr, e_phoff)};
static const struct field e_phentsize = {FIELD(Ehdr, e_phentsize)};
static const struct field e_phnum = {FIELD(Ehdr, e_phnum)};
static const struct field p_type = {FIELD(Phdr, p_type)};
static const struct field p_offset = {FIELD(Phdr, p_offset)};
static const struct field p_filesz = {FIELD(Phdr, p_filesz)};

static const size_t ehdr_size[] = {sizeof(Elf32_Ehdr), sizeof(Elf64_Ehdr)};
static const size_t phdr_size[] = {sizeof(Elf32_Phdr), sizeof(Elf64_Phdr)};

struct layout {
	bool wide, big; /* 64 bits; big-endian */
};

static uint64_t field_get(const uint8_t *structure, struct field f, struct layout l)
{
	const uint8_t *p = structure + (l.wide ? f.at64 : f.at32);
	size_t size = l.wide ? f.size64 : f.size32;
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | p[l.big ? i : size - 1 - i];
	return value;
}

/* Copies bytes [@at, @at + @n) of the file. Returns 0, -EAGAIN where they lie beyond the head and
 * there is no descriptor, or -ENOEXEC where the file cannot have them. */
static int image_get(struct image *im, uint64_t at, size_t n, uint8_t *buf)
{
	if (at > (uint64_t)SSIZE_MAX - n)
		return -ENOEXEC;
	if (at + n <= im->len) {
		memcpy(buf, im->head + at, n);
		return 0;
	}
	im->need = (size_t)at + n;
	if (im->fd < 0)
		return -EAGAIN;
	for (size_t got = 0; got < n;) {
		ssize_t r = pread(im->fd, buf + got, n - got, (off_t)(at + got));
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? -errno : -ENOEXEC;
		got += (size_t)r;
	}
	return 0;
}

/* As load_elf_binary() reads what PT_INTERP names. */
static int read_interp(struct image *im, uint64_t at, uint64_t n, char *path, size_t size)
{
	char name[PATH_MAX];

	if (n < 2 || n > sizeof(name))
		return -ENOEXEC;
	int r = image_get(im, at, n, (uint8_t *)name);
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

/* The kernel takes class and byte order from the machine; nothing honest says otherwise there. */
static int read_ehdr(struct image *im, uint8_t *eh, struct layout *ret)
{
	int r = image_get(im, 0, EI_NIDENT, eh);

	if (r < 0)
		return r;
	if ((eh[EI_CLASS] != ELFCLASS32 && eh[EI_CLASS] != ELFCLASS64) ||
	    (eh[EI_DATA] != ELFDATA2LSB && eh[EI_DATA] != ELFDATA2MSB))
		return -ENOEXEC;
	*ret =
	    (struct layout){.wide = eh[EI_CLASS] == ELFCLASS64, .big = eh[EI_DATA] == ELFDATA2MSB};
	return image_get(im, 0, ehdr_size[ret->wide], eh);
}

static int find_elf(struct image *im, char *path, size_t size, enum interp_kind *ret_kind)
{
	uint8_t eh[sizeof(Elf64_Ehdr)], ph[sizeof(Elf64_Phdr)];
	struct layout l;
	int r = read_ehdr(im, eh, &l);
	if (r < 0)
		return r;

	uint64_t type = field_get(eh, e_type, l), at = field_get(eh, e_phoff, l);
	size_t num = field_get(eh, e_phnum, l), step = field_get(eh, e_phentsize, l);
	if (type != ET_EXEC && type != ET_DYN)
		return 0;
	if (step != phdr_size[l.wide] || num == 0 || num * step > PHDRS_MAX)
		return -ENOEXEC;
	for (size_t i = 0; i < num; i++, at += step) {
		r = image_get(im, at, step, ph);
		if (r < 0)
			return r;
		if (field_get(ph, p_type, l) != PT_INTERP)
			continue;
		r = read_interp(im, field_get(ph, p_offset, l), field_get(ph, p_filesz, l), path,
				size);
		*ret_kind = r < 0 ? INTERP_NONE : INTERP_ELF;
		return r;
	}
	return 0;
}

static bool spacetab(char c)
{
	return c == ' ' || c == '\t';
}

static bool terminator(char c)
{
	return spacetab(c) || !c;
}

/* As load_script() does, for the reasons it tells at length: without a newline in the first 256
 * bytes there has to be an end of the word in them, else it may be cut off. */
static int find_script(const struct image *im, char *path, size_t size, enum interp_kind *ret_kind)
{
	char line[SCRIPT_HEAD + 1] = {0}; /* shorter files are padded with NUL */
	memcpy(line, im->head, im->len < SCRIPT_HEAD ? im->len : SCRIPT_HEAD);

	const char *last = line + SCRIPT_HEAD - 1, *name = line + 2;
	const char *newline = memchr(line, '\n', SCRIPT_HEAD), *end = newline ? newline : last;
	while (name < end && spacetab(*name))
		name++;
	size_t n = 0;
	while (name + n < end && !terminator(name[n]))
		n++;
	bool whole = newline || name + n < last || terminator(*last);
	if (n == 0 || !whole)
		return -ENOEXEC;
	if (n >= size)
		return -ENAMETOOLONG;
	memcpy(path, name, n);
	path[n] = '\0';
	*ret_kind = INTERP_SCRIPT;
	return 0;
}

static int find(struct image *im, char *path, size_t size, enum interp_kind *ret_kind)
{
	*ret_kind = INTERP_NONE;
	if (im->len >= 2 && memcmp(im->head, "#!", 2) == 0)
		return find_script(im, path, size, ret_kind);
	if (im->len >= SELFMAG && memcmp(im->head, ELFMAG, SELFMAG) == 0)
		return find_elf(im, path, size, ret_kind);
	return 0;
}

int interp_find(const void *head, size_t len, char *path, size_t size, enum interp_kind *ret_kind,
		size_t *ret_need)
{
	struct image im = {.head = head, .len = len, .fd = -1};
	int r = find(&im, path, size, ret_kind);

	if (r == -EAGAIN && ret_need)
		*ret_need = im.need;
	return r;
}

int interp_find_fd(int fd, char *path, size_t size, enum interp_kind *ret_kind)
{
	uint8_t head[INTERP_HEAD];
	struct image im = {.head = head, .fd = fd};

	*ret_kind = INTERP_NONE;
	while (im.len < sizeof(head)) {
		ssize_t n = pread(fd, head + im.len, sizeof(head) - im.len, (off_t)im.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		im.len += (size_t)n;
	}
	return find(&im, path, size, ret_kind);
}
