/* SPDX-License-Identifier: MIT */
/* Any bytes as configuration: tokens in the order of their lines, bounded, each of its kind. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/tokens.h"

#define TOKENS_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_token(const struct token *t, unsigned lines)
{
	if (!*t->text || t->line < 1 || t->line > lines)
		abort();
	if (t->kind == TOKEN_PATH && t->text[0] != '/' && t->text[0] != '$')
		abort();
	if (t->kind == TOKEN_COMMAND && strchr(t->text, '\n'))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tokens t = TOKENS_INIT;
	unsigned lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	tokens_read((const char *)data, size, TOKENS_MAX, &t);
	if (t.n > TOKENS_MAX)
		abort();
	for (size_t i = 0; i < t.n; i++)
		check_token(&t.v[i], lines);
	tokens_done(&t);
	return 0;
}
