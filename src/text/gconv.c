/* SPDX-License-Identifier: MIT */
#include "text/gconv.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"

#define ROWS_MAX    16384 /* glibc 2.36 has 2100 */
#define ALIAS_DEPTH 4	  /* glibc follows one */

#define BLANKS " \t\r\v\f"

void gconv_done(struct gconv *g)
{
	for (size_t i = 0; i < g->n; i++) {
		free(g->v[i].charset);
		free(g->v[i].value);
	}
	free(g->v);
	*g = (struct gconv)GCONV_INIT;
}

/* "iso-8859-1//TRANSLIT" -> "ISO-8859-1", new. */
static char *charset_of(const char *s)
{
	char *name = xstrndup(s, strcspn(s, "/"));

	for (char *p = name; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return name;
}

static void add(struct gconv *g, const char *charset, char *value, bool alias)
{
	if (g->n && (g->n & (g->n - 1)) == 0)
		g->v = xrealloc(g->v, 2 * g->n, sizeof(*g->v));
	else if (!g->n)
		g->v = xrealloc(g->v, 1, sizeof(*g->v));
	g->v[g->n++] = (struct gconv_row){charset_of(charset), value, alias};
}

static bool is_internal(const char *name)
{
	return streq(name, "INTERNAL");
}

/* "alias FROM TO", "module FROM TO FILE [COST]". */
static void parse_line(struct gconv *g, char *line)
{
	char *save = NULL, *words[4] = {0};

	line[strcspn(line, "#")] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		words[i] = strtok_r(i ? NULL : line, BLANKS, &save);
	if (!words[2] || g->n + 2 > ROWS_MAX)
		return;
	if (streq(words[0], "alias"))
		add(g, words[1], charset_of(words[2]), true);
	if (!streq(words[0], "module") || !words[3])
		return;
	for (size_t i = 1; i <= 2; i++)
		if (!is_internal(words[i]))
			add(g, words[i], xstrdup(words[3]), false);
}

static int compare(const void *a, const void *b)
{
	const struct gconv_row *x = a, *y = b;
	return strcmp(x->charset, y->charset);
}

void gconv_parse(const char *text, size_t len, struct gconv *ret)
{
	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;
		CLEANUP_STR char *line = xstrndup(text, n);

		parse_line(ret, line);
		n += end != NULL;
		text += n;
		len -= n;
	}
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), compare);
}

/* Index of the first row of @charset, or of where it would stand. */
static size_t first_row(const struct gconv *g, const char *charset)
{
	size_t low = 0, high = g->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(g->v[middle].charset, charset) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void gconv_modules(const struct gconv *g, const char *charset, struct strv *ret)
{
	CLEANUP_STR char *first = charset_of(charset);
	const char *name = first;

	for (int depth = 0; name && depth < ALIAS_DEPTH; depth++) {
		const char *next = NULL;
		for (size_t i = first_row(g, name); i < g->n && streq(g->v[i].charset, name); i++) {
			if (g->v[i].alias)
				next = g->v[i].value;
			else if (!strv_has(ret, g->v[i].value))
				strv_add(ret, g->v[i].value);
		}
		name = next;
	}
}
