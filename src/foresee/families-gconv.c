/* SPDX-License-Identifier: MIT */
/* Character sets: glibc converts by modules that its gconv-modules files name. */
#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "foresee/families-parts.h"
#include "host/host.h"

static const char *const libc_names[] = {"libc.so.6", "libc.so.6.1", NULL};
static const struct module_dir converters = {libc_names, "*/gconv", "gconv", "*.so"};

/* Modules that a library may want although nothing names their charset. */
static const char *const usual_charsets[] = {"ISO-8859-1", "ISO-8859-15", "CP1252",
					     "UTF-7",	   "UTF-16",	  "UTF-32"};

/* Reads gconv-modules of @dir and gconv-modules.d beside it, once. */
static void read_gconv(struct families *f, const char *dir)
{
	CLEANUP_STR char *pattern = path_join(dir, "gconv-modules.d/*.conf");
	struct strv files CLEANUP_STRV = STRV_INIT;

	if (strv_has(&f->gconv_read, dir))
		return;
	strv_add(&f->gconv_read, dir);
	strv_take(&files, path_join(dir, "gconv-modules"));
	host_glob(f->c.ev->host, pattern, 64, &files);
	for (size_t i = 0; i < files.n; i++) {
		CLEANUP_STR char *text = part_read(f, files.v[i], NULL);
		if (text)
			gconv_parse(text, strlen(text), &f->gconv);
	}
}

/* The file of a module, which is mostly named without its ".so"; new. */
static char *module_path(const struct families *f, const char *dir, const char *name)
{
	CLEANUP_STR char *path = name[0] == '/' ? xstrdup(name) : path_join(dir, name);
	return part_is_file(f, path) ? steal_ptr(path) : xasprintf("%s.so", path);
}

void part_take_charset(struct families *f, const struct met *m, const char *charset,
		       const char *said)
{
	struct strv modules CLEANUP_STRV = STRV_INIT;

	gconv_modules(&f->gconv, charset, &modules);
	for (size_t i = 0; i < modules.n; i++)
		for (size_t k = 0; k < f->gconv_read.n; k++) {
			CLEANUP_STR char *path = module_path(f, f->gconv_read.v[k], modules.v[i]);
			part_take_for(f, m, m->object, path, "%s %s", said, charset);
		}
}

/* What glibc reads to know its converters. */
static void take_tables(struct families *f, const struct met *m, const char *dir)
{
	static const char *const tables[] = {"gconv-modules", "gconv-modules.d/*.conf",
					     "gconv-modules.cache"};

	read_gconv(f, dir);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		CLEANUP_STR char *pattern = path_join(dir, tables[i]);
		part_take(f, m, pattern);
	}
}

void part_take_gconv(struct families *f, const struct met *m)
{
	struct strv dirs CLEANUP_STRV = STRV_INIT;

	part_compiled(f, m, converters.libraries, converters.dir, converters.sibling, &dirs);
	for (size_t i = 0; i < dirs.n; i++)
		take_tables(f, m, dirs.v[i]);
}

void family_gconv_take(struct families *f, const struct met *m, const struct elf_object *o)
{
	(void)o;
	part_take_gconv(f, m);
	if (m->program)
		part_take_modules(f, m, &converters);
	for (size_t i = 0; !m->program && i < ARRAY_LEN(usual_charsets); i++)
		part_take_charset(f, m, usual_charsets[i], "text is often in");
}

/* "DE" and "437" are names of charsets too, and of other things more often. */
static bool could_be_charset(const char *word)
{
	size_t letters = 0;

	for (const char *p = word; *p; p++)
		letters += isalpha((unsigned char)*p) != 0;
	return letters && strlen(word) >= 4 && strlen(word) < 64;
}

void family_gconv_word(struct families *f, const struct met *m, const char *word)
{
	if (!m->program && could_be_charset(word))
		part_take_charset(f, m, word, "configuration names");
}
