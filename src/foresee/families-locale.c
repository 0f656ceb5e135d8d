/* SPDX-License-Identifier: MIT */
/* Locales: those of the environment and those that are named, with their character sets, and the
 * translations of a program's messages. */
#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "foresee/families-parts.h"
#include "host/host.h"

#define LOCALE_DIR     "/usr/lib/locale"
#define DEFAULT_LOCALE "/etc/default/locale"

/* The archive of all locales is taken up to this size: some hosts have 200 MB of them. */
#define ARCHIVE_MAX (24 << 20)

/* Directories of locales, of some 3 MB each. */
#define LOCALES_MAX 16

static const char *const locale_variables[] = {
    "LANG",	   "LANGUAGE",	  "LC_ALL",  "LC_ADDRESS",     "LC_COLLATE",
    "LC_CTYPE",	   "LC_MESSAGES", "LC_NAME", "LC_NUMERIC",     "LC_TELEPHONE",
    "LC_MONETARY", "LC_PAPER",	  "LC_TIME", "LC_MEASUREMENT", "LC_IDENTIFICATION",
};

/* "de_DE.ISO-8859-15@euro" in its parts; each may be empty. */
struct locale_name {
	char language[32], charset[32], modifier[32];
};

static void copy_part(char *to, const char *from, size_t n)
{
	n = n < 31 ? n : 31;
	memcpy(to, from, n);
	to[n] = '\0';
}

static struct locale_name split_name(const char *s)
{
	struct locale_name n = {"", "", ""};
	const char *dot = strchr(s, '.'), *at = strchr(s, '@');
	size_t len = strcspn(s, ".@");

	copy_part(n.language, s, len);
	if (dot)
		copy_part(n.charset, dot + 1, strcspn(dot + 1, "@"));
	if (at)
		copy_part(n.modifier, at + 1, strlen(at + 1));
	return n;
}

/* Charsets are told apart by letters and digits alone: "UTF-8" is "utf8". */
static bool same_charset(const char *a, const char *b)
{
	while (*a || *b) {
		while (*a && !isalnum((unsigned char)*a))
			a++;
		while (*b && !isalnum((unsigned char)*b))
			b++;
		if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
			return false;
		a += *a != '\0';
		b += *b != '\0';
	}
	return true;
}

/* Whether the locale in directory @dir serves one who asks for @want. */
static bool serves(const char *dir, const struct locale_name *want)
{
	struct locale_name have = split_name(dir);

	return streq(have.language, want->language) && streq(have.modifier, want->modifier) &&
	       (!want->charset[0] || !have.charset[0] || same_charset(have.charset, want->charset));
}

static void take_archive(struct families *f, const struct met *m, const char *said)
{
	static const char archive[] = LOCALE_DIR "/locale-archive";
	CLEANUP_STR char *end = NULL;
	struct stat st;

	if (host_resolve(f->c.ev->host, archive, &end, &st, NULL) < 0)
		return;
	if (st.st_size <= ARCHIVE_MAX)
		part_take_for(f, m, m->object, archive, "%s", said);
	else
		evidence_pass(f->c.ev, end, "family locale: %s, and %s, but it holds %lld MB",
			      m->cause, said, (long long)st.st_size >> 20);
}

static void take_locale_dir(struct families *f, const struct met *m, const char *name,
			    const char *said)
{
	CLEANUP_STR char *dir = path_join(LOCALE_DIR, name);
	CLEANUP_STR char *files = path_join(dir, "LC_*");
	CLEANUP_STR char *messages = path_join(dir, "LC_MESSAGES/*");

	part_take_for(f, m, m->object, files, "%s", said);
	part_take_for(f, m, m->object, messages, "%s", said);
}

static void take_locale(struct families *f, const struct met *m, const char *name, const char *said)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	struct locale_name want = split_name(name);
	bool found = false;

	if (streq(name, "C") || streq(name, "POSIX") || strchr(name, '/'))
		return;
	part_take_for(f, m, m->object, "/usr/share/locale/locale.alias", "%s", said);
	part_take_gconv(f, m);
	host_names(f->c.ev->host, LOCALE_DIR, &names);
	for (size_t i = 0; i < names.n; i++)
		if (serves(names.v[i], &want)) {
			take_locale_dir(f, m, names.v[i], said);
			found = true;
		}
	if (!found)
		take_archive(f, m, said);
	if (want.charset[0])
		part_take_charset(f, m, want.charset, "a locale in use has");
}

typedef void (*locale_fn)(struct families *f, const struct met *m, const char *name,
			  const char *said);

static void each_of_environment(struct families *f, const struct met *m, locale_fn fn)
{
	for (size_t i = 0; i < ARRAY_LEN(locale_variables); i++) {
		const char *value = part_env(f, locale_variables[i]);
		if (!value)
			continue;
		CLEANUP_STR char *first = xstrndup(value, strcspn(value, ":"));
		CLEANUP_STR char *said =
		    xasprintf("%s of the environment is %s", locale_variables[i], value);
		fn(f, m, first, said);
	}
}

/* What logins and, on Debian, services start with: "LANG=C.UTF-8", perhaps quoted. */
static void each_of_default(struct families *f, const struct met *m, locale_fn fn)
{
	CLEANUP_STR char *text = part_read(f, DEFAULT_LOCALE, NULL);
	char *save = text;

	for (char *line; (line = strsep(&save, "\n"));) {
		char *value = strchr(line, '=');
		if (line[0] == '#' || !value)
			continue;
		value += 1 + (value[1] == '"');
		value[strcspn(value, "\": ")] = '\0';
		CLEANUP_STR char *said = xasprintf(DEFAULT_LOCALE " names %s", value);
		fn(f, m, value, said);
	}
}

static void each_locale(struct families *f, const struct met *m, locale_fn fn)
{
	each_of_environment(f, m, fn);
	each_of_default(f, m, fn);
}

void family_locale_take(struct families *f, const struct met *m, const struct elf_object *o)
{
	(void)o;
	each_locale(f, m, take_locale);
}

/* A program that makes locales while it runs has them from its data: each of a database's. */
void family_locale_all(struct families *f, const struct met *m, const struct elf_object *o)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	static const char said[] = "its data may name any locale";

	(void)o;
	host_names(f->c.ev->host, LOCALE_DIR, &names);
	for (size_t i = 0; i < names.n && i < LOCALES_MAX; i++)
		take_locale_dir(f, m, names.v[i], said);
	take_archive(f, m, said);
}

/* "de_DE.UTF-8", "C.UTF-8". */
void family_locale_word(struct families *f, const struct met *m, const char *word)
{
	static const char *const shapes[] = {"[a-z][a-z]_[A-Z][A-Z]", "[a-z][a-z]_[A-Z][A-Z][.@]*",
					     "[a-z][a-z][a-z]_[A-Z][A-Z]*", "C.*", NULL};

	if (part_matches(shapes, word)) {
		CLEANUP_STR char *said = xasprintf("configuration names %s", word);
		take_locale(f, m, word, said);
	}
}

/* Translations of libc's messages and of those named like the program. */
static void take_catalogs(struct families *f, const struct met *m, const char *name,
			  const char *said)
{
	struct locale_name l = split_name(name);
	char language[32];

	if (!isalpha((unsigned char)l.language[0]) || strchr(l.language, '/'))
		return;
	copy_part(language, l.language, strcspn(l.language, "_"));
	const char *const dirs[] = {l.language, language};
	const char *const domains[] = {"libc", path_base(m->object)};
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		for (size_t k = 0; k < ARRAY_LEN(domains); k++) {
			CLEANUP_STR char *pattern = xasprintf(
			    "/usr/share/locale/%s/LC_MESSAGES/%s*.mo", dirs[i], domains[k]);
			part_take_for(f, m, m->object, pattern, "%s", said);
		}
}

void family_catalogs_take(struct families *f, const struct met *m, const struct elf_object *o)
{
	(void)o;
	each_locale(f, m, take_catalogs);
}
