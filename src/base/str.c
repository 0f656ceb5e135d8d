/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/alloc.h"

void strv_done(struct strv *sv)
{
	for (size_t i = 0; i < sv->n; i++)
		free(sv->v[i]);
	free(sv->v);
	*sv = (struct strv)STRV_INIT;
}

void strv_take(struct strv *sv, char *s)
{
	/* Room doubles whenever n + 1 (for the NULL) reaches a power of two. */
	if (sv->n == 0 || ((sv->n + 1) & sv->n) == 0)
		sv->v = xrealloc(sv->v, 2 * (sv->n + 1), sizeof(*sv->v));
	sv->v[sv->n++] = s;
	sv->v[sv->n] = NULL;
}

void strv_add(struct strv *sv, const char *s)
{
	strv_take(sv, xstrdup(s));
}

void strv_add_all(struct strv *sv, const struct strv *from)
{
	size_t n = from->n; /* once: @from may be @sv itself */

	for (size_t i = 0; i < n; i++)
		strv_add(sv, from->v[i]);
}

void strv_split(struct strv *sv, const char *text, const char *separators)
{
	for (text += strspn(text, separators); *text; text += strspn(text, separators)) {
		size_t n = strcspn(text, separators);
		strv_take(sv, xstrndup(text, n));
		text += n;
	}
}

bool strv_has(const struct strv *sv, const char *s)
{
	for (size_t i = 0; i < sv->n; i++)
		if (streq(sv->v[i], s))
			return true;
	return false;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort_unique(struct strv *sv)
{
	size_t kept = 0;

	if (!sv->n)
		return;
	qsort(sv->v, sv->n, sizeof(*sv->v), compare);
	for (size_t i = 0; i < sv->n; i++) {
		if (kept && streq(sv->v[kept - 1], sv->v[i]))
			free(sv->v[i]);
		else
			sv->v[kept++] = sv->v[i];
	}
	sv->n = kept;
	sv->v[kept] = NULL;
}

char *str_printable(char *s)
{
	for (unsigned char *p = (unsigned char *)s; *p; p++)
		if (*p < 0x20 || *p >= 0x7f)
			*p = '?';
	return s;
}

bool str_is_name(const char *s)
{
	size_t len = strlen(s);

	if (!isalnum((unsigned char)s[0]) || len > STR_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("._@-", s[i]))
			return false;
	return true;
}
