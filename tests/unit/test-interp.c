/* SPDX-License-Identifier: MIT */
#include "elf/interp.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "check.h"

static char path[PATH_MAX];

static void expect(const void *head, size_t len, int r, enum interp_kind kind, const char *want)
{
	enum interp_kind got;
	void *exact = malloc(len ? len : 1); /* so that the sanitizer sees the end */

	memcpy(exact, head, len);
	strcpy(path, "?");
	CHECK_INT(interp_find(exact, len, path, sizeof(path), &got, NULL), r);
	free(exact);
	CHECK_INT(got, kind);
	CHECK_STR(path, want ? want : "?");

	/* From a file, a short head is the end. */
	CLEANUP_FD int fd = memfd_create("interp", MFD_CLOEXEC);
	CHECK_INT(fd_write_all(fd, head, len), 0);
	strcpy(path, "?");
	CHECK_INT(interp_find_fd(fd, path, sizeof(path), &got), r == -EAGAIN ? -ENOEXEC : r);
	CHECK_INT(got, kind);
}

static void test_scripts(void)
{
	static const struct {
		const char *line;
		const char *want; /* NULL: refused */
	} rows[] = {
	    {"#!/bin/sh\n", "/bin/sh"},
	    {"#!/bin/sh", "/bin/sh"},
	    {"#! /bin/sh\necho", "/bin/sh"},
	    {"#! \t /usr/bin/env \t perl -w \n", "/usr/bin/env"},
	    {"#!/bin/sh -e\n", "/bin/sh"},
	    {"#!/bin/sh\t-e", "/bin/sh"},
	    {"#!/bin/sh \n", "/bin/sh"},
	    {"#!/bin/sh\r\n", "/bin/sh\r"},
	    {"#!relative arg\n", "relative"},
	    {"#!\n/bin/sh\n", NULL},
	    {"#! \t\n", NULL},
	    {"#!", NULL},
	    {"#! ", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect(rows[i].line, strlen(rows[i].line), rows[i].want ? 0 : -ENOEXEC,
		       rows[i].want ? INTERP_SCRIPT : INTERP_NONE, rows[i].want);
	expect("#!/bin/a\0b\n", 11, 0, INTERP_SCRIPT, "/bin/a");
	expect("#!\0/bin/a\n", 10, -ENOEXEC, INTERP_NONE, NULL);
}

/* Lines around the 256 bytes that the kernel looks at. */
static void test_long_scripts(void)
{
	char line[300], want[300];

	for (int n = 250; n <= 260; n++) {
		/* "#!" and @n bytes of name, then an end of each kind. */
		memset(line, 'x', sizeof(line));
		memcpy(line, "#!", 2);
		snprintf(want, sizeof(want), "%.*s", n, line + 2);
		for (const char *end = "\n \t"; *end; end++) {
			line[2 + n] = *end;
			bool fits = 2 + n < 256;
			expect(line, sizeof(line), fits ? 0 : -ENOEXEC,
			       fits ? INTERP_SCRIPT : INTERP_NONE, fits ? want : NULL);
		}
		line[2 + n] = 'x';
		expect(line, (size_t)(2 + n), 2 + n < 256 ? 0 : -ENOEXEC,
		       2 + n < 256 ? INTERP_SCRIPT : INTERP_NONE, 2 + n < 256 ? want : NULL);
	}
	memset(line, ' ', sizeof(line));
	memcpy(line, "#!", 2);
	expect(line, sizeof(line), -ENOEXEC, INTERP_NONE, NULL);
	line[255] = 'x';
	expect(line, sizeof(line), -ENOEXEC, INTERP_NONE, NULL);
	line[253] = 'x';
	expect(line, sizeof(line), 0, INTERP_SCRIPT, "x");
}

static void put(unsigned char *p, size_t size, bool big, uint64_t value)
{
	for (size_t i = 0; i < size; i++)
		p[big ? size - 1 - i : i] = (unsigned char)(value >> (8 * i));
}

#define PUT(buf, wide, big, type, name, value)                                                     \
	((wide) ? put((unsigned char *)(buf) + offsetof(Elf64_##type, name),                       \
		      sizeof(((Elf64_##type *)0)->name), big, value)                               \
		: put((unsigned char *)(buf) + offsetof(Elf32_##type, name),                       \
		      sizeof(((Elf32_##type *)0)->name), big, value))

struct elf {
	unsigned char b[8192];
	bool wide, big;
	size_t eh, ph;
};

/* Two program headers: something, and PT_INTERP at 1000 with "/lib/ld". */
static struct elf make_elf(bool wide, bool big)
{
	struct elf e = {.wide = wide, .big = big};

	e.eh = wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	e.ph = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	memcpy(e.b, ELFMAG, SELFMAG);
	e.b[EI_CLASS] = wide ? ELFCLASS64 : ELFCLASS32;
	e.b[EI_DATA] = big ? ELFDATA2MSB : ELFDATA2LSB;
	PUT(e.b, wide, big, Ehdr, e_type, ET_DYN);
	PUT(e.b, wide, big, Ehdr, e_phoff, e.eh);
	PUT(e.b, wide, big, Ehdr, e_phentsize, e.ph);
	PUT(e.b, wide, big, Ehdr, e_phnum, 2);
	PUT(e.b + e.eh, wide, big, Phdr, p_type, PT_LOAD);
	PUT(e.b + e.eh + e.ph, wide, big, Phdr, p_type, PT_INTERP);
	PUT(e.b + e.eh + e.ph, wide, big, Phdr, p_offset, 1000);
	PUT(e.b + e.eh + e.ph, wide, big, Phdr, p_filesz, 8);
	memcpy(e.b + 1000, "/lib/ld", 8);
	return e;
}

static void test_elf(bool wide, bool big)
{
	const struct elf good = make_elf(wide, big);
	unsigned char *ph;
	struct elf e = good;

	expect(e.b, 1008, 0, INTERP_ELF, "/lib/ld");
	expect(e.b, 1007, -EAGAIN, INTERP_NONE, NULL);
	for (size_t n = 4; n < e.eh + 2 * e.ph; n++)
		expect(e.b, n, -EAGAIN, INTERP_NONE, NULL);
	size_t need = 0;
	enum interp_kind kind;
	CHECK_INT(interp_find(e.b, 500, path, sizeof(path), &kind, &need), -EAGAIN);
	CHECK_INT(need, 1008);
	CHECK_INT(interp_find(e.b, 1008, path, 7, &kind, &need), -ENAMETOOLONG);
	CHECK_INT(interp_find(e.b, 1008, path, 8, &kind, &need), 0);

#define CASE(len, r, kind_, want, ...)                                                             \
	do {                                                                                       \
		e = good;                                                                          \
		ph = e.b + e.eh + e.ph;                                                            \
		__VA_ARGS__;                                                                       \
		expect(e.b, len, r, kind_, want);                                                  \
	} while (0)
#define EHDR(name, value) PUT(e.b, wide, big, Ehdr, name, value)
#define PHDR(name, value) PUT(ph, wide, big, Phdr, name, value)
	/* Neither program nor library: not ours to judge. */
	CASE(2000, 0, INTERP_NONE, NULL, EHDR(e_type, ET_REL));
	CASE(2000, 0, INTERP_NONE, NULL, EHDR(e_type, ET_CORE));
	CASE(2000, 0, INTERP_NONE, NULL, PHDR(p_type, PT_NOTE)); /* static */
	CASE(2000, 0, INTERP_ELF, "/lib/ld", EHDR(e_type, ET_EXEC));
	CASE(2000, -ENOEXEC, INTERP_NONE, NULL, EHDR(e_phentsize, e.ph - 1));
	CASE(2000, -ENOEXEC, INTERP_NONE, NULL, EHDR(e_phentsize, e.ph + 8));
	CASE(2000, -ENOEXEC, INTERP_NONE, NULL, EHDR(e_phnum, 0));
	CASE(2000, -ENOEXEC, INTERP_NONE, NULL, EHDR(e_phnum, 0xffff));
	CASE(2000, -ENOEXEC, INTERP_NONE, NULL, PHDR(p_filesz, 1));
	CASE(8192, -ENOEXEC, INTERP_NONE, NULL, PHDR(p_filesz, PATH_MAX + 1));
	CASE(2000, -ENOEXEC, INTERP_NONE, NULL, PHDR(p_filesz, 7)); /* no NUL */
	CASE(2000, 0, INTERP_ELF, "/lib/ld", PHDR(p_filesz, 9));
	CASE(2000, -ENOEXEC, INTERP_NONE, NULL, e.b[1000] = 0);
	CASE(2000, 0, INTERP_ELF, "/li", e.b[1003] = 0);
	CASE(2000, -ENOEXEC, INTERP_NONE, NULL, e.b[EI_CLASS] = 7);
	CASE(2000, -ENOEXEC, INTERP_NONE, NULL, e.b[EI_DATA] = 0);
	CASE(2000, wide ? -ENOEXEC : -EAGAIN, INTERP_NONE, NULL,
	     EHDR(e_phoff, wide ? UINT64_MAX - 10 : UINT32_MAX - 10));
	CASE(2000, wide ? -ENOEXEC : -EAGAIN, INTERP_NONE, NULL,
	     PHDR(p_offset, wide ? (uint64_t)INT64_MAX - 3 : UINT32_MAX - 3));
	/* Of several the first. */
	CASE(2000, 0, INTERP_ELF, "/b", ph -= e.ph; PHDR(p_type, PT_INTERP); PHDR(p_offset, 1500);
	     PHDR(p_filesz, 3); memcpy(e.b + 1500, "/b", 3));

	/* The longest name there is. */
	static char longest[PATH_MAX];
	memset(longest, 'y', PATH_MAX - 1);
	CASE(1000 + PATH_MAX, 0, INTERP_ELF, longest, PHDR(p_filesz, PATH_MAX);
	     memcpy(e.b + 1000, longest, PATH_MAX));
}

/* Headers and name behind the first page, and far behind. */
static void test_far(void)
{
	struct elf e = make_elf(true, false);
	enum interp_kind kind;
	CLEANUP_FD int fd = memfd_create("far", MFD_CLOEXEC);
	const off_t far = 3 << 20;

	CHECK_INT(pwrite(fd, e.b + e.eh, 2 * e.ph, far), 2 * e.ph);
	PUT(e.b, true, false, Ehdr, e_phoff, far);
	CHECK_INT(pwrite(fd, e.b, 2000, 0), 2000);
	CHECK_INT(interp_find_fd(fd, path, sizeof(path), &kind), 0);
	CHECK_STR(path, "/lib/ld");
	unsigned char offset[8];
	put(offset, 8, false, (uint64_t)far * 2);
	CHECK_INT(pwrite(fd, offset, 8, far + (off_t)e.ph + (off_t)offsetof(Elf64_Phdr, p_offset)),
		  8);
	CHECK_INT(interp_find_fd(fd, path, sizeof(path), &kind), -ENOEXEC);
	CHECK_INT(pwrite(fd, "/lib/xy", 8, far * 2), 8);
	CHECK_INT(interp_find_fd(fd, path, sizeof(path), &kind), 0);
	CHECK_STR(path, "/lib/xy");
	CHECK_INT(kind, INTERP_ELF);
	CLEANUP_FD int dir = open("/", O_RDONLY | O_DIRECTORY);
	CHECK_INT(interp_find_fd(dir, path, sizeof(path), &kind), -EISDIR);
	CHECK_INT(interp_find_fd(-1, path, sizeof(path), &kind), -EBADF);
}

static void test_other(void)
{
	expect("", 0, 0, INTERP_NONE, NULL);
	expect("#", 1, 0, INTERP_NONE, NULL);
	expect("\177EL", 3, 0, INTERP_NONE, NULL);
	expect("hello, world", 12, 0, INTERP_NONE, NULL);
	expect(" #!/bin/sh\n", 11, 0, INTERP_NONE, NULL);
}

/* What libelf says of the file; a static buffer, NULL for none. */
static const char *oracle(int fd)
{
	static char name[PATH_MAX];
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	const char *found = NULL;
	GElf_Phdr ph;
	size_t n = 0;

	if (elf && elf_kind(elf) == ELF_K_ELF && elf_getphdrnum(elf, &n) == 0)
		for (size_t i = 0; i < n && !found; i++)
			if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_INTERP &&
			    ph.p_filesz <= sizeof(name) &&
			    pread(fd, name, ph.p_filesz, (off_t)ph.p_offset) > 0)
				found = name;
	elf_end(elf);
	return found;
}

/* The first word of a "#!" line, by the C library's means. */
static const char *script_oracle(int fd)
{
	static char line[257];
	char *rest;

	memset(line, 0, sizeof(line));
	if (pread(fd, line, 256, 0) < 3 || strncmp(line, "#!", 2) != 0)
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	return strtok_r(line + 2, " \t", &rest);
}

static void compare_directory(const char *name, unsigned *ret_elf, unsigned *ret_script)
{
	DIR *d = opendir(name);
	struct dirent *de;

	while (d && (de = readdir(d))) {
		CLEANUP_FD int fd = openat(dirfd(d), de->d_name, O_RDONLY | O_NONBLOCK);
		struct stat st;
		enum interp_kind kind;
		if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		CHECK_INT(interp_find_fd(fd, path, sizeof(path), &kind), 0);
		const char *elf = oracle(fd), *script = script_oracle(fd);
		*ret_elf += kind == INTERP_ELF;
		*ret_script += kind == INTERP_SCRIPT;
		CHECK_INT(kind, elf ? INTERP_ELF : script ? INTERP_SCRIPT : INTERP_NONE);
		if (kind != INTERP_NONE)
			CHECK_STR(path, elf ? elf : script);
	}
	if (d)
		closedir(d);
}

static void test_host(void)
{
	static const char *const dirs[] = {"/usr/bin", "/usr/sbin", "/usr/lib/x86_64-linux-gnu",
					   "/usr/lib/aarch64-linux-gnu", "/usr/lib"};
	unsigned elf = 0, script = 0;

	elf_version(EV_CURRENT);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		compare_directory(dirs[i], &elf, &script);
	printf("# host: %u programs with a loader, %u scripts\n", elf, script);
	CHECK(elf > 0);
}

int main(void)
{
	test_scripts();
	test_long_scripts();
	for (int i = 0; i < 4; i++)
		test_elf(i & 1, i & 2);
	test_far();
	test_other();
	test_host();
	return check_done("interp");
}
