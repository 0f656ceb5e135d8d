/* SPDX-License-Identifier: MIT */
#include "ld/ld-token.h"

#include "base/alloc.h"

/* Whether @p, behind a dollar sign, is the token @name; returns its length, braces included, or 0.
 */
static size_t token_length(const char *p, const char *name)
{
	static const char word[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	size_t brace = *p == '{', n = strspn(p + brace, word);

	if (n != strlen(name) || strncmp(p + brace, name, n) != 0 || (brace && p[1 + n] != '}'))
		return 0;
	return n + 2 * brace;
}

/* A new copy of @text with the token @name replaced by @by. */
static char *replace(const char *text, const char *name, const char *by)
{
	char *out = xstrdup("");

	while (*text) {
		size_t plain = strcspn(text, "$");
		size_t n = text[plain] ? token_length(text + plain + 1, name) : 0;
		size_t kept = n || !text[plain] ? plain : plain + 1; /* a "$" of something else */
		char *longer = xasprintf("%s%.*s%s", out, (int)kept, text, n ? by : "");
		free(out);
		out = longer;
		text += n ? plain + 1 + n : kept;
	}
	return out;
}

void ld_token_expand(const char *text, const struct ld_tokens *t, struct strv *ret)
{
	CLEANUP_STR char *with_origin = replace(text, "ORIGIN", t->origin);
	CLEANUP_STR char *with_lib = replace(with_origin, "LIB", t->lib);
	CLEANUP_STR char *without = replace(with_lib, "PLATFORM", "");

	if (streq(with_lib, without))
		strv_add(ret, with_lib);
	for (size_t i = 0; !streq(with_lib, without) && t->platforms[i]; i++)
		strv_take(ret, replace(with_lib, "PLATFORM", t->platforms[i]));
}
