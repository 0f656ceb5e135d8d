/* SPDX-License-Identifier: MIT */
#include "spec/words.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

#define BLANKS " \t\n\r"

/* A growing string; a word is never longer than the text it comes from. */
struct out {
	char *v;
	size_t n;
};

static void put_utf8(struct out *o, unsigned long c)
{
	static const struct {
		unsigned long below;
		unsigned char lead;
	} forms[] = {{0x80, 0x00}, {0x800, 0xc0}, {0x10000, 0xe0}, {0x110000, 0xf0}};
	int more = 0;

	while (c >= forms[more].below)
		more++;
	o->v[o->n++] = (char)(forms[more].lead | c >> (6 * more));
	while (more--)
		o->v[o->n++] = (char)(0x80 | (c >> (6 * more) & 0x3f));
}

/* Reads exactly @digits digits of @base. Returns 0 where they are not there. */
static int number(const char *s, int digits, int base, unsigned long *ret)
{
	char copy[9] = "";

	for (int i = 0; i < digits; i++) {
		if (!(base == 16 ? isxdigit((unsigned char)s[i]) : s[i] >= '0' && s[i] <= '7'))
			return 0;
		copy[i] = s[i];
	}
	*ret = strtoul(copy, NULL, base);
	return 1;
}

/* The escapes that carry a number. */
static const struct {
	char letter;
	int digits, base, skip; /* skip: the letter itself */
	unsigned long max;
	int is_char; /* a character, else a byte */
} numeric[] = {
    {'x', 2, 16, 1, 0xff, 0}, {'u', 4, 16, 1, 0xffff, 1}, {'U', 8, 16, 1, 0x10ffff, 1},
    {'0', 3, 8, 0, 0xff, 0},  {'1', 3, 8, 0, 0xff, 0},	  {'2', 3, 8, 0, 0xff, 0},
    {'3', 3, 8, 0, 0xff, 0},
};

/* Decodes the escape at @s, which stands after the backslash. Returns its length, 0 if it is none.
 */
static size_t unescape(const char *s, struct out *o)
{
	static const char from[] = "abfnrtv\\\"'s", to[] = "\a\b\f\n\r\t\v\\\"' ";
	const char *simple = *s ? strchr(from, *s) : NULL;

	if (simple) {
		o->v[o->n++] = to[simple - from];
		return 1;
	}
	for (size_t i = 0; i < ARRAY_LEN(numeric); i++) {
		unsigned long c;
		if (*s != numeric[i].letter)
			continue;
		if (!number(s + numeric[i].skip, numeric[i].digits, numeric[i].base, &c) || !c ||
		    c > numeric[i].max || (c >= 0xd800 && c <= 0xdfff))
			return 0;
		if (numeric[i].is_char)
			put_utf8(o, c);
		else
			o->v[o->n++] = (char)c;
		return (size_t)(numeric[i].skip + numeric[i].digits);
	}
	return 0;
}

/* Takes the backslash at *p and what belongs to it. */
static int take_escape(const char **p, unsigned flags, struct out *o, struct err *e)
{
	const char *s = *p + 1;
	size_t len = flags & WORDS_UNESCAPE ? unescape(s, o) : 0;

	if (!len && flags & WORDS_UNESCAPE && !(flags & WORDS_RELAXED))
		return err_set(e, -EINVAL, "unknown escape \"\\%.1s\"; a backslash is written \\\\",
			       isprint((unsigned char)*s) ? s : "");
	if (!len && (flags & WORDS_UNESCAPE || !*s))
		o->v[o->n++] = '\\';
	if (!len && *s) {
		o->v[o->n++] = *s;
		len = 1;
	}
	*p = s + len;
	return 0;
}

int words_next(const char **text, unsigned flags, char **ret, bool *ret_quoted, struct err *e)
{
	const char *p = *text + strspn(*text, BLANKS);
	CLEANUP_STR char *word = NULL;
	struct out o = {0};
	char quote = 0;
	bool quoted = false;

	if (!*p)
		return 0;
	o.v = word = xcalloc(strlen(p) + 1, 1);
	while (*p && (quote || !strchr(BLANKS, *p))) {
		if (*p == '\\') {
			int r = take_escape(&p, flags, &o, e);
			if (r < 0)
				return r;
			quoted = true;
		} else if (quote ? *p == quote : *p == '"' || *p == '\'') {
			quote = quote ? 0 : *p;
			quoted = true;
			p++;
		} else {
			o.v[o.n++] = *p++;
		}
	}
	if (quote && !(flags & WORDS_OPEN))
		return err_set(e, -EINVAL, "a quote (%c) without its end", quote);
	*text = p + strspn(p, BLANKS);
	*ret = steal_ptr(word);
	if (ret_quoted)
		*ret_quoted = quoted;
	return 1;
}

int words_split(const char *text, unsigned flags, struct strv *ret, struct err *e)
{
	char *word;
	int r;

	while ((r = words_next(&text, flags, &word, NULL, e)) > 0)
		strv_take(ret, word);
	return r;
}

static bool is_plain(const char *word)
{
	for (const char *c = word; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr("\"'\\;", *c))
			return false;
	return *word;
}

char *words_quote(const char *word)
{
	if (is_plain(word))
		return xstrdup(word);
	char *quoted = xcalloc(4 * strlen(word) + 3, 1);
	size_t n = 0;

	quoted[n++] = '"';
	for (const char *c = word; *c; c++) {
		if (*c == '\n' || *c == '\t') {
			quoted[n++] = '\\';
			quoted[n++] = *c == '\n' ? 'n' : 't';
			continue;
		}
		if ((unsigned char)*c < ' ' || *c == 0x7f) {
			n += (size_t)snprintf(quoted + n, 5, "\\x%02x", (unsigned char)*c);
			continue;
		}
		if (*c == '"' || *c == '\\')
			quoted[n++] = '\\';
		quoted[n++] = *c;
	}
	quoted[n++] = '"';
	return quoted;
}

char *words_shell_encode(const char *command)
{
	size_t len = strlen(command);
	bool blank_ends = len && (strchr(" \t", command[0]) || strchr(" \t", command[len - 1]));

	if (!blank_ends && !command[strcspn(command, "\n\r\t")] &&
	    (!len || command[len - 1] != '\\') && strncmp(command, "$\"", 2) != 0)
		return xstrdup(command);
	CLEANUP_STR char *quoted = words_quote(command);
	return xasprintf("$%s", quoted);
}

int words_shell_decode(const char *text, char **ret, struct err *e)
{
	struct strv words CLEANUP_STRV = STRV_INIT;

	if (strncmp(text, "$\"", 2) != 0) {
		*ret = xstrdup(text);
		return 0;
	}
	int r = words_split(text + 1, WORDS_UNESCAPE, &words, e);
	if (r < 0)
		return r;
	if (words.n != 1)
		return err_set(e, -EINVAL, "$\"...\" must be the whole value");
	*ret = xstrdup(words.v[0]);
	return 0;
}

char *words_double(const char *text, const char *special)
{
	char *out = xcalloc(2 * strlen(text) + 1, 1);
	size_t n = 0;

	for (; *text; text++) {
		if (strchr(special, *text))
			out[n++] = *text;
		out[n++] = *text;
	}
	return out;
}
