/* SPDX-License-Identifier: MIT */
/* A dynamic loader: what is built into it of directories. Read from its file, never asked. */
#pragma once

#include "base/attr.h"
#include "base/str.h"
#include "ld/machine.h"

enum loader_kind { LOADER_GLIBC, LOADER_MUSL };

struct loader {
	enum loader_kind kind;
	const struct machine *machine;
	char *path;	  /* as programs name it, or NULL where none is known */
	struct strv dirs; /* default directories, in their order */
	char *lib;	  /* $LIB */
	char *path_file;  /* musl's /etc/ld-musl-ARCH.path, where it is used; or NULL */
};

/* The loader that a program of @m names as @path; with NULL the machine's usual one that stands
 * below @root, glibc's before musl's.
 *
 * The default directories of a glibc differ with the distribution ("/lib/x86_64-linux-gnu",
 * "/lib64", "/nix/store/..."), and stand in its data as a row of strings; where they are not found
 * there (no such file), all that a distribution could have are taken, Debian's first. $LIB follows
 * from them. */
struct loader *loader_new(int root, const char *path, const struct machine *m);
void loader_free(struct loader *l);

/* Whether who asks for @name gets the loader itself: musl's is the C library and all its parts. */
bool loader_is_library(const struct loader *l, const char *name);

/* Adds the row of directories in @bytes, a loader's file: absolute, ended by a slash, with a "lib"
 * in each, side by side. */
void loader_builtin_dirs(const char *bytes, size_t len, struct strv *ret);
