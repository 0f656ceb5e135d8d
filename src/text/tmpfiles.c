/* SPDX-License-Identifier: MIT */
#include "text/tmpfiles.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"

#define BLANKS "\t \r\v\f"

enum field { FIELD_TYPE, FIELD_PATH, FIELD_MODE, FIELD_USER, FIELD_GROUP, FIELD_COUNT };

void tmpfiles_dir_done(struct tmpfiles_dir *d)
{
	free(d->user);
	free(d->group);
	*d = (struct tmpfiles_dir)TMPFILES_DIR_INIT;
}

/* One word at *s, in quotes or not, cut off in place; NULL at the end of the line. */
static char *next_word(char **s)
{
	char *word = *s + strspn(*s, BLANKS);
	const char *end = BLANKS;
	char quote[2] = {*word, '\0'};

	if (!*word)
		return NULL;
	if (*word == '"' || *word == '\'') {
		word++;
		end = quote;
	}
	*s = word + strcspn(word, end);
	if (**s)
		*(*s)++ = '\0';
	return word;
}

static bool makes_directory(const char *type)
{
	/* Behind the letter stand modifiers: "d!", "D-". */
	return strchr("dDvqQ", type[0]) && strspn(type + 1, "+!-=~^$") == strlen(type + 1);
}

static bool is_path(const char *text, const char *path)
{
	const char *below = str_after(text, "/var/run/");

	if (text[0] != '/' || strchr(text, '%'))
		return false;
	CLEANUP_STR char *full = below ? path_join("/run", below) : xstrdup(text);
	CLEANUP_STR char *normal = path_normal(full);
	return streq(normal, path);
}

/* "0755"; "~" and ":" in front say when it is used, which is always for what is missing. */
static mode_t mode_of(const char *text)
{
	const char *digits = text ? text + strspn(text, "~:") : "";

	if (!*digits || strlen(digits) > 5 || strspn(digits, "01234567") != strlen(digits))
		return 0755;
	return (mode_t)strtoul(digits, NULL, 8) & 07777;
}

static char *owner_of(const char *text)
{
	const char *name = text ? text + strspn(text, ":") : "";

	return !*name || streq(name, "-") ? NULL : xstrdup(name);
}

static bool line_find(char *line, const char *path, struct tmpfiles_dir *ret)
{
	const char *field[FIELD_COUNT] = {NULL};

	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (!(field[i] = next_word(&line)))
			break;
	if (!field[FIELD_PATH] || !makes_directory(field[FIELD_TYPE]) ||
	    !is_path(field[FIELD_PATH], path))
		return false;
	*ret = (struct tmpfiles_dir){
	    .mode = mode_of(field[FIELD_MODE]),
	    .user = owner_of(field[FIELD_USER]),
	    .group = owner_of(field[FIELD_GROUP]),
	};
	return true;
}

bool tmpfiles_find(const char *text, size_t len, const char *path, struct tmpfiles_dir *ret)
{
	bool found = false;

	for (const char *end = text + len; !found && text < end;) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((stop ? stop : end) - text);
		CLEANUP_STR char *line = xstrndup(text, n);
		found = line_find(line, path, ret);
		text += n + 1;
	}
	return found;
}
