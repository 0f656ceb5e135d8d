/* SPDX-License-Identifier: MIT */
/* The libraries a program or module will load, by the dynamic loader's own rules (ld.so(8)):
 * DT_RPATH of the chain of loaders, LD_LIBRARY_PATH, DT_RUNPATH of the object, ld.so.cache, the
 * default directories; $ORIGIN, $LIB and $PLATFORM; glibc-hwcaps directories; DT_FILTER and
 * DT_AUXILIARY; LD_PRELOAD and ld.so.preload. foresee/search.h says where is looked, and that what
 * depends on the CPU is taken for every CPU. */
#pragma once

#include "elf/object.h"
#include "foresee/evidence.h"

struct libraries;

/* @root is borrowed. Configuration and cache are read at once; what is broken there is as if it
 * were absent. @environment is that of the service. */
struct libraries *libraries_open(int root, const struct strv *environment);
void libraries_free(struct libraries *l);
DEFINE_FREEP(struct libraries, libraries);
#define CLEANUP_LIBRARIES CLEANUP(libraries_freep)

/* The object at canonical @path, read once and kept; NULL where it is none. The libraries'. */
const struct elf_object *libraries_object(struct libraries *l, const char *path);

/* Paths in the read-only data of the object that @path leads to, read once and kept; none where it
 * is no object. The libraries'. */
const struct strv *libraries_paths(struct libraries *l, const char *path);

/* Takes into @ev all that loading @path brings: its interpreter, the loader's own files where it
 * has any (ld.so.preload, musl's path file; the cache is the jail's own) and, breadth first, the
 * libraries, each with the first object that asks for it as its reason: "needed by OBJECT
 * (libssl.so.3, by ld.so.cache)".
 *
 * What names an interpreter is a program. All else is a module, loaded in @program (may be NULL, or
 * no program): the RPATH of that counts, and what it has loaded is there already; take the program
 * itself first. What was taken before, also as a library of something else, brings nothing new.
 *
 * @missing (may be NULL) gets one text, once, for each name that is not found and for each version
 * that the library found does not define: "libfoo.so.1, needed by /usr/sbin/x", "FOO_2 of
 * libfoo.so.1, needed by /usr/sbin/x". Returns 0, or -ENOEXEC where @path is no ELF file. */
int libraries_take(struct libraries *l, struct evidence *ev, const char *path, const char *program,
		   struct strv *missing);

/* Bytes of the libraries that loading the module @path in @program would add to @ev; 0 where it is
 * no ELF file. */
long long libraries_weight(struct libraries *l, const struct evidence *ev, const char *path,
			   const char *program);

/* Where the loader would find @name when @path asks for it, on any CPU: a new string (as found, not
 * canonical), or NULL. */
char *libraries_find(struct libraries *l, const char *path, const char *name);
