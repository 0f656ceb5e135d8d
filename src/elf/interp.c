/* SPDX-License-Identifier: MIT */
#include "elf/interp.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "elf/image.h"

/* What fs/exec.c reads of every file: BINPRM_BUF_SIZE. A "#!" line ends there at the latest. */
#define SCRIPT_HEAD 256

static int find_elf(struct image *im, char *path, size_t size, enum interp_kind *ret_kind)
{
	struct elf_header h;
	struct elf_segment s;
	int r = elf_header_read(im, &h);

	if (r < 0 || !elf_header_loads(&h))
		return r;
	r = elf_segments_check(&h);
	for (size_t i = 0; r == 0 && i < h.phnum; i++) {
		r = elf_segment_read(im, &h, i, &s);
		if (r < 0 || s.type != PT_INTERP)
			continue;
		r = elf_interp_read(im, &s, path, size);
		*ret_kind = r < 0 ? INTERP_NONE : INTERP_ELF;
		return r;
	}
	return r;
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
	if (image_starts(im, "#!", 2))
		return find_script(im, path, size, ret_kind);
	if (image_starts(im, ELFMAG, SELFMAG))
		return find_elf(im, path, size, ret_kind);
	return 0;
}

int interp_find(const void *head, size_t len, char *path, size_t size, enum interp_kind *ret_kind,
		size_t *ret_need)
{
	struct image im = image_of_bytes(head, len);
	int r = find(&im, path, size, ret_kind);

	if (r == -EAGAIN && ret_need)
		*ret_need = im.need;
	return r;
}

int interp_find_fd(int fd, char *path, size_t size, enum interp_kind *ret_kind)
{
	uint8_t head[INTERP_HEAD];
	struct image im;
	int r = image_open(&im, fd, head, sizeof(head));

	*ret_kind = INTERP_NONE;
	return r < 0 ? r : find(&im, path, size, ret_kind);
}
