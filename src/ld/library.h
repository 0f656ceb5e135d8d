/* SPDX-License-Identifier: MIT */
/* ELF files of the host, each read once: by any path that leads to it. */
#pragma once

#include <sys/stat.h>
#include <uthash.h>

#include "elf/object.h"
#include "ld/machine.h"

struct library {
	char *path; /* canonical */
	mode_t mode;
	off_t size;
	struct elf_object object;
	const struct machine *machine;
	struct strv paths; /* compiled in: library_paths() */
	bool paths_read;
	bool taken; /* with all it needs: struct libraries' */
	UT_hash_handle hh;
};

struct library_files {
	int root; /* borrowed */
	struct library *libraries;
	struct library_path *paths; /* all that were asked for, also those that are none */
};
void library_files_done(struct library_files *f);

/* The object at absolute @path, NULL where there is none or a broken one. The files'. */
struct library *library_at(struct library_files *f, const char *path);

/* Paths in its data (elf_paths(), at most 4096), read when first asked for. The library's. */
const struct strv *library_paths(const struct library_files *f, struct library *l);
