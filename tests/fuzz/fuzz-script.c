/* SPDX-License-Identifier: MIT */
/* Any bytes as a script: the first says of which language; bounded, each word could be a name. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_words(const struct script_words *w, unsigned lines)
{
	if (w->n > SCRIPT_WORDS_MAX)
		abort();
	for (size_t i = 0; i < w->n; i++)
		if (!*w->v[i].text || strpbrk(w->v[i].text, " \t\n") || w->v[i].line < 1 ||
		    w->v[i].line > lines)
			abort();
}

static void check_line(const uint8_t *data, size_t size)
{
	struct script_line l;

	if (script_line((const char *)data, size, &l) &&
	    (!*l.interpreter || strchr(l.argument, '\n')))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script_words w = SCRIPT_WORDS_INIT;
	unsigned lines = 1;

	if (!size)
		return 0;
	check_line(data, size);
	for (size_t i = 1; i < size; i++)
		lines += data[i] == '\n';
	script_words(data[0] % SCRIPT_LANGUAGES, (const char *)data + 1, size - 1, &w);
	check_words(&w, lines);
	script_words_done(&w);
	return 0;
}
