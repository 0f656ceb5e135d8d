/* SPDX-License-Identifier: MIT */
/* elf_object_read() on any bytes: bounded, an object or none, and the same from a file of which
 * only parts are read; then the symbols it defines and the paths in its data. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "elf/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void check_sorted(const struct strv *sv)
{
	for (size_t i = 1; i < sv->n; i++)
		must(strcmp(sv->v[i - 1], sv->v[i]) < 0);
}

static void check_object(int r, const struct elf_object *o, const struct err *e)
{
	must(r == 0 || r == -ENOEXEC || r == -EBADMSG);
	must((r == -EBADMSG) == (e->msg[0] != '\0'));
	must(r == 0 || (!o->needed.n && !o->interp && !o->n_versions));
	check_sorted(&o->imports);
	for (size_t i = 0; i < o->imports.n; i++)
		must(elf_imports(o, o->imports.v[i]));
	for (size_t i = 0; i < o->n_versions; i++)
		must(o->versions[i].file && o->versions[i].name);
}

static void check_paths(int fd)
{
	struct strv paths CLEANUP_STRV = STRV_INIT;
	const size_t max = 64;

	if (elf_paths(fd, max, &paths, NULL) < 0)
		return;
	must(paths.n <= max);
	check_sorted(&paths);
	for (size_t i = 0; i < paths.n; i++)
		must(paths.v[i][0] == '/' && strlen(paths.v[i]) < 256);
}

static void check_file(const uint8_t *data, size_t size, int want, const struct elf_object *o)
{
	static int fd = -1;
	struct elf_object from_file CLEANUP_ELF_OBJECT = ELF_OBJECT_INIT;
	struct strv exports CLEANUP_STRV = STRV_INIT;
	struct err e = {0};

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		return;
	int r = elf_object_read_fd(fd, &from_file, &e);
	check_object(r, &from_file, &e);
	must(r == want && from_file.needed.n == o->needed.n &&
	     from_file.imports.n == o->imports.n && from_file.n_versions == o->n_versions);
	elf_exports(fd, &exports, NULL);
	check_sorted(&exports);
	check_paths(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_object o CLEANUP_ELF_OBJECT = ELF_OBJECT_INIT;
	struct err e = {0};
	int r = elf_object_read(data, size, &o, &e);

	check_object(r, &o, &e);
	check_file(data, size, r, &o);
	return 0;
}
