/* SPDX-License-Identifier: MIT */
#include "jail/json-text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Whether the @n bytes at @s are one character that jansson takes. */
static bool is_character(const char *s, size_t n)
{
	json_t *j = json_stringn(s, n);

	json_decref(j);
	return j != NULL;
}

/* How long the UTF-8 character at @s is; 0 where it is none, or one to be escaped. */
static size_t character(const char *s)
{
	unsigned char c = (unsigned char)*s;

	if (c < 0x20 || c == 0x7f || c == '\\')
		return 0;
	if (c < 0x80)
		return 1;
	for (size_t n = 2; n <= 4 && s[n - 1]; n++)
		if (is_character(s, n))
			return n;
	return 0;
}

json_t *json_text(const char *bytes)
{
	CLEANUP_STR char *text = xcalloc(4 * strlen(bytes) + 1, 1);
	size_t len = 0;

	while (*bytes) {
		size_t n = character(bytes);
		if (n)
			memcpy(text + len, bytes, n);
		else
			sprintf(text + len, "\\x%02x", (unsigned char)*bytes);
		len += n ? n : 4;
		bytes += n ? n : 1;
	}
	return json_stringn(text, len);
}

char *json_text_value(const json_t *j)
{
	const char *s = json_string_value(j);
	char *out = s ? xcalloc(strlen(s) + 1, 1) : NULL;
	size_t len = 0;
	unsigned byte;

	for (; s && *s; s++) {
		if (*s != '\\') {
			out[len++] = *s;
			continue;
		}
		if (strspn(s + 1, "x") != 1 || strspn(s + 2, "0123456789abcdef") < 2 ||
		    sscanf(s, "\\x%2x", &byte) != 1 || !byte) {
			free(out);
			return NULL;
		}
		out[len++] = (char)byte;
		s += 3;
	}
	return out;
}

json_t *json_texts(const struct strv *list)
{
	json_t *j = json_array();

	for (size_t i = 0; i < list->n; i++)
		json_array_append_new(j, json_text(list->v[i]));
	return j;
}

void json_texts_value(const json_t *j, struct strv *ret)
{
	const json_t *one;
	size_t i;

	json_array_foreach(j, i, one)
	{
		char *text = json_text_value(one);
		if (text)
			strv_take(ret, text);
	}
}
