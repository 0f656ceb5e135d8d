/* SPDX-License-Identifier: MIT */
/* What the parts of families share: the rows, and how files are taken for one. Private to them.
 *
 * families.c          matching: which rows an object meets
 * families-table.c    the rows: signs on the left, what they bring on the right
 * families-parts.c    taking files, opened libraries, modules of a row
 * families-names.c    nsswitch.conf and what it names
 * families-pam.c      PAM stacks, login shells
 * families-zone.c, families-locale.c, families-gconv.c     where and for whom a service runs
 * families-crypto.c   certificates, SASL plugins */
#pragma once

#include "foresee/families.h"
#include "text/gconv.h"
#include "text/nsswitch.h"

#define NAMES(...)                                                                                 \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

struct met;

/* A directory of modules that is compiled into a library. */
struct module_dir {
	const char *const *libraries; /* its names, for the loader: the first that is found */
	const char *dir;	      /* glob for the path compiled in */
	const char *sibling;	      /* where nothing is: this one beside the library */
	const char *files;	      /* glob below it */
};

struct family_row {
	const char *family;
	const char *part; /* of the family, for its function; may be NULL */

	/* Signs, any of which will do. Each list may be NULL. */
	const char *const *symbols;   /* imported */
	const char *const *libraries; /* needed: globs */
	const char *const *compiled;  /* paths in a program's data, or directories above them */
	const char *const *read;      /* files in use: globs */
	bool any_program;
	bool program_only;	   /* a library's sign says nothing of the service */
	bool program_more;	   /* a program's brings more: looked at again after a library's */
	bool each;		   /* every object that has a sign counts, not the first alone */
	const char *const *not_by; /* globs: objects whose sign says nothing */

	/* What it brings. */
	const char *const *files;     /* globs */
	const char *const *variables; /* of the environment that name files, several with ":" */
	const char *const *opens;     /* libraries opened by name while running */
	struct module_dir modules;
	void (*take)(struct families *f, const struct met *m, const struct elf_object *o);
	void (*word)(struct families *f, const struct met *m, const char *word);
};

extern const struct family_row family_rows[];
extern const size_t n_family_rows;

/* A row that was met, and by what. */
struct met {
	const struct family_row *row;
	char *object; /* canonical path */
	char *cause;  /* "/usr/sbin/apache2 imports getpwnam" */
	bool program;
	bool wide; /* its ABI, with machine: modules differ */
	uint16_t machine;
	size_t words; /* of the context's that were looked at */
};

struct families {
	struct families_context c;
	struct met **met; /* in order; each stays where it is */
	size_t n_met;
	bool nsswitch_read;
	struct nsswitch nsswitch;
	struct strv pam_files; /* stacks taken */
	struct gconv gconv;
	struct strv gconv_read; /* directories whose gconv-modules are in it */
};

/* Takes the one path or all that a glob matches; a socket, and what lies in /run, is noted, since a
 * copy of it is dead. The reason is "family F: CAUSE". Returns the last one taken, or NULL. */
const struct node *part_take(struct families *f, const struct met *m, const char *pattern);

/* The same because of what a configuration file says: "family F: CAUSE, and TEXT", from @from. */
const struct node *part_take_for(struct families *f, const struct met *m, const char *from,
				 const char *pattern, const char *fmt, ...) PRINTF(5, 6);

/* Everything that lists of the row can say. */
void part_take_lists(struct families *f, const struct met *m);

/* Takes the modules of @dir that match its glob. */
void part_take_modules(struct families *f, const struct met *m, const struct module_dir *dir);

/* Paths compiled into the first of @libraries that the loader finds, which match glob @pattern,
 * trailing slashes off, lists with ":" split; where there is none, @sibling (may be NULL) beside
 * the library. */
void part_compiled(struct families *f, const struct met *m, const char *const *libraries,
		   const char *pattern, const char *sibling, struct strv *ret);

/* Whether a regular file stands at @path. */
bool part_is_file(const struct families *f, const char *path);

/* Text of the file that @path leads to, at most 1 MiB, new; NULL where there is none. Its canonical
 * path in *ret_path (may be NULL), new. */
char *part_read(const struct families *f, const char *path, char **ret_path);

/* Value of an environment variable, or NULL where it is unset or empty. */
const char *part_env(const struct families *f, const char *name);

/* Whether @s matches one of @globs; NULL matches nothing. */
bool part_matches(const char *const *globs, const char *s);

/* families-gconv.c: the tables of glibc's converters, and the converter of one charset because of
 * what @said ends in its name: "a locale in use has". The tables come first. */
void part_take_gconv(struct families *f, const struct met *m);
void part_take_charset(struct families *f, const struct met *m, const char *charset,
		       const char *said);

void family_nss_take(struct families *f, const struct met *m, const struct elf_object *o);
void family_pam_take(struct families *f, const struct met *m, const struct elf_object *o);
void family_pam_word(struct families *f, const struct met *m, const char *word);
void family_pam_file(struct families *f, const struct met *m, const struct elf_object *o);
void family_login_take(struct families *f, const struct met *m, const struct elf_object *o);
void family_zone_take(struct families *f, const struct met *m, const struct elf_object *o);
void family_zone_tree(struct families *f, const struct met *m, const struct elf_object *o);
void family_zone_word(struct families *f, const struct met *m, const char *word);
void family_gconv_take(struct families *f, const struct met *m, const struct elf_object *o);
void family_gconv_word(struct families *f, const struct met *m, const char *word);
void family_locale_take(struct families *f, const struct met *m, const struct elf_object *o);
void family_locale_all(struct families *f, const struct met *m, const struct elf_object *o);
void family_locale_word(struct families *f, const struct met *m, const char *word);
void family_catalogs_take(struct families *f, const struct met *m, const struct elf_object *o);
void family_openssl_take(struct families *f, const struct met *m, const struct elf_object *o);
void family_trust_take(struct families *f, const struct met *m, const struct elf_object *o);
void family_sasl_take(struct families *f, const struct met *m, const struct elf_object *o);
