/* SPDX-License-Identifier: MIT */
/* What an ELF file asks of its loader: the dynamic section, read on bytes and bounded.
 *
 * Every class, byte order and machine is read; nothing is executed or mapped. Reference: elf(5),
 * the System V gABI, and glibc's elf/dl-load.c for what is used of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

/* A version that a library must define: DT_VERNEED. */
struct elf_version {
	char *file; /* "libc.so.6" */
	char *name; /* "GLIBC_2.34" */
	bool weak;
};

struct elf_object {
	bool wide, big;	  /* 64 bits; big-endian */
	uint16_t machine; /* EM_* */
	uint16_t type;	  /* ET_EXEC, ET_DYN */
	uint32_t flags;	  /* e_flags: float ABIs of arm and riscv */
	bool dynamic;	  /* has a dynamic section: else static */
	bool pie;	  /* DF_1_PIE */
	bool nodeflib;	  /* DF_1_NODEFLIB */
	char *interp;	  /* PT_INTERP or NULL: a library, static or static-pie */
	char *soname;	  /* DT_SONAME or NULL */
	char *rpath, *runpath;
	struct strv needed;
	struct strv filters;	 /* DT_FILTER: its symbols come from there */
	struct strv auxiliaries; /* DT_AUXILIARY: the same, where it exists */
	struct strv imports;	 /* undefined dynamic symbols, without versions, sorted */
	struct strv defines;	 /* versions it defines: DT_VERDEF */
	struct elf_version *versions;
	size_t n_versions;
};
#define ELF_OBJECT_INIT                                                                            \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_ELF_OBJECT CLEANUP(elf_object_done)
void elf_object_done(struct elf_object *o);

/* Whether o->imports holds @symbol. */
bool elf_imports(const struct elf_object *o, const char *symbol);

/* Reads the object in @bytes. 0; -ENOEXEC where it is no ELF file of a kind that a loader takes
 * (no message); -EBADMSG where it is one, and broken: the message says what. *ret is empty then. */
int elf_object_read(const void *bytes, size_t len, struct elf_object *ret, struct err *e);

/* The same from an open file, reading only the parts that matter. Other -errno where it cannot be
 * read. */
int elf_object_read_fd(int fd, struct elf_object *ret, struct err *e);

/* Adds the dynamic symbols that the object defines, without versions, sorted. Apart from the
 * object: a large library has some 100000 of them, and a loader that looks for files asks for none.
 */
int elf_exports(int fd, struct strv *ret, struct err *e);

/* Words of printable ASCII that start with "/" and end with their string, in the read-only data of
 * an object: paths compiled into a program (at most @max of them, each shorter than 256 bytes, from
 * the first 64 MiB), and formats of paths too ("/proc/%d/fd"). They are strings that stand alone
 * (the compiler may have laid one into the tail of a longer one), and the value behind its key in a
 * line of a default configuration ("icon_directory /usr/share/squid/icons"). Sorted. 0 or as above;
 * an object that is only a file with segments, without a dynamic section, is good too. */
int elf_paths(int fd, size_t max, struct strv *ret, struct err *e);
