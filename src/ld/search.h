/* SPDX-License-Identifier: MIT */
/* Where a dynamic loader looks for a library: its search order, with nothing loaded.
 *
 * glibc (elf/dl-load.c): DT_RPATH of the object and of those that loaded it, LD_LIBRARY_PATH,
 * DT_RUNPATH of the object, ld.so.cache, the default directories. musl (ldso/dynlink.c):
 * LD_LIBRARY_PATH, the paths of the chain of either tag, its own path file or defaults.
 *
 * The loader takes the first file that fits. What fits depends on the CPU in some places: the
 * glibc-hwcaps directories, the older ones of platforms, $PLATFORM, entries of the cache for some
 * hardware. There the files of every CPU that are found are taken, and the search goes on until one
 * for any CPU is found: so the jail is right on the next host too. In the same way LD_LIBRARY_PATH
 * is only a may-be for a set-id program: whether the loader honours it depends on the caller.
 *
 * Files that are no ELF file, or of another machine, are passed over. (For a file that is no ELF
 * file glibc gives up; a program that meets one does not run on the host.) Relative directories are
 * not looked at: what they mean changes with each chdir(2). A cache that is missing is replaced by
 * the directories of ld.so.conf: a root that has not been booted yet has none. */
#pragma once

#include "ld/ld-cache.h"
#include "ld/library.h"
#include "ld/loader.h"

struct search {
	struct library_files *files; /* borrowed */
	const char *library_path;    /* LD_LIBRARY_PATH or NULL, borrowed */
	char *cache_bytes;
	struct ld_cache cache;
	struct strv conf_dirs; /* only where there is no cache */
	struct search_dir *dirs;
};

/* Reads cache or configuration below files->root. */
void search_open(struct search *s, struct library_files *files, const char *library_path);
void search_done(struct search *s);

/* An object that the loader has loaded, as far as it matters to the search. */
struct loaded {
	struct library *library;
	char *origin;		     /* the directory it was found in: $ORIGIN */
	const struct loaded *loader; /* which asked for it; NULL for the program */
};

struct found {
	struct library *library;
	char *path; /* as found */
	char *how;  /* "by ld.so.cache" */
};
struct found_list {
	struct found *v;
	size_t n;
};
#define CLEANUP_FOUND CLEANUP(found_list_done)
void found_list_done(struct found_list *f);

/* Adds the files that @by will get when it asks for @name; of several, all but the last are for
 * some CPUs only. */
void search_find(struct search *s, const struct loader *loader, const struct loaded *by,
		 const char *name, struct found_list *ret);
