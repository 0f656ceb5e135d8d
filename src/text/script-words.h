/* SPDX-License-Identifier: MIT */
/* What the readers of script text share: script.c calls them by language, and they add words. */
#pragma once

#include "text/script.h"

/* Adds a copy of the @n bytes of @text, unless the list has it or is full. A module that is named
 * twice is lazy only if both places are. Text that no file could be named by is dropped. */
void script_words_add(struct script_words *w, const char *text, size_t n, unsigned line,
		      bool module, bool lazy);

/* Shell text that begins in line @line. @depth counts shells within shells; few are followed. */
void script_words_shell(const char *text, size_t len, unsigned line, unsigned depth,
			struct script_words *ret);

/* Text of every other language, by the table of its calls. */
void script_words_calls(enum script_language language, const char *text, size_t len,
			struct script_words *ret);
