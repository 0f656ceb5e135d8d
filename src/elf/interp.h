/* SPDX-License-Identifier: MIT */
/* What the kernel opens unseen when a file is executed: the interpreter named by PT_INTERP or "#!".
 *
 * Pure: works on the first bytes of a file, bounded, never executes anything. fs/binfmt_elf.c and
 * fs/binfmt_script.c are the reference. */
#pragma once

#include <stddef.h>

enum interp_kind {
	INTERP_NONE,   /* static program, or not an executable we know */
	INTERP_ELF,    /* PT_INTERP: the dynamic loader */
	INTERP_SCRIPT, /* "#!": the first word */
};

/* Bytes of a file that are enough for INTERP_SCRIPT and for nearly every ELF: the kernel itself
 * reads 256 for scripts; program headers may lie further. */
#define INTERP_HEAD 4096

/* Reads @head, the first @len bytes. Writes the interpreter's path, NUL-terminated, into @path
 * (@size at least PATH_MAX, else -ENAMETOOLONG for one that does not fit). *ret_need (may be NULL)
 * is set to how many bytes of the file would be needed, where what tells lies beyond @len: then
 * -EAGAIN is returned, which for a file that has no more means the same as -ENOEXEC: a malformed
 * one, which the kernel would refuse too. Every machine is taken, of either width and byte order.
 */
int interp_find(const void *head, size_t len, char *path, size_t size, enum interp_kind *ret_kind,
		size_t *ret_need);

/* The same for an open file (any flags that allow pread), reading more where needed: program
 * headers and the name may lie anywhere (patchelf puts them at the end), of both at most 68 KiB are
 * read. Never -EAGAIN. */
int interp_find_fd(int fd, char *path, size_t size, enum interp_kind *ret_kind);
