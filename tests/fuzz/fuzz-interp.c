/* SPDX-License-Identifier: MIT */
/* interp_find() on any bytes: bounded, a name or none, and the same answer from a file of which
 * only the head was read as from all of it in memory. */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "elf/interp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(int r, enum interp_kind kind, const char *path)
{
	if (r < 0 && kind != INTERP_NONE)
		abort();
	if (kind != INTERP_NONE && (!*path || strnlen(path, PATH_MAX) == PATH_MAX))
		abort();
}

static void check_file(const uint8_t *data, size_t size, int want, enum interp_kind want_kind,
		       const char *want_path)
{
	static int fd = -1;
	char path[PATH_MAX] = "";
	enum interp_kind kind;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		return;
	int r = interp_find_fd(fd, path, sizeof(path), &kind);
	check_answer(r, kind, path);
	if (r != (want == -EAGAIN ? -ENOEXEC : want) || kind != want_kind ||
	    strcmp(path, want_path) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[PATH_MAX] = "";
	enum interp_kind kind;
	size_t need = 0;
	int r = interp_find(data, size, path, sizeof(path), &kind, &need);

	check_answer(r, kind, path);
	if (r == -EAGAIN && need <= size)
		abort();
	check_file(data, size, r, kind, path);

	/* A head of it never says something else, only that it needs more. */
	char part[PATH_MAX] = "";
	enum interp_kind part_kind;
	size_t half = size / 2;
	int p = interp_find(data, half, part, sizeof(part), &part_kind, NULL);
	if (p == 0 && part_kind == INTERP_ELF && (r != 0 || strcmp(part, path) != 0))
		abort();
	return 0;
}
