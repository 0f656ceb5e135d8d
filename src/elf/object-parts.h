/* SPDX-License-Identifier: MIT */
/* What the files that read an object share. Private to this layer. */
#pragma once

#include "elf/dynamic.h"
#include "elf/interp.h"
#include "elf/object.h"

/* Opens the head of an object and reads its segments and dynamic section. -ENOEXEC, -EBADMSG and
 * the message as elf/object.h says. d->im must be set. */
int object_open(struct dynamic *d, struct err *e);

/* The same for an open file, whose head goes to @head: it and @im must outlive @d. */
int object_open_fd(struct dynamic *d, struct image *im, uint8_t head[INTERP_HEAD], int fd,
		   struct err *e);

/* Writes what @r means of a @part of the file: it is broken, or cannot be read. */
int object_broken(int r, const char *part, struct err *e);

/* symbols.c: adds undefined, or defined, dynamic symbols, sorted. */
int object_symbols(struct dynamic *d, bool defined, struct strv *ret);

/* versions.c: o->versions and o->defines. */
int object_versions(struct dynamic *d, struct elf_object *o);
