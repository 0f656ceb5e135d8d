/* SPDX-License-Identifier: MIT */
/* Memory and strings that cannot fail: running out of memory ends the program in one place, as git,
 * OpenSSH and strace do. Every pointer returned is the caller's, to be released with free(). */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/attr.h"

void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) PRINTF(1, 2);
char *xvasprintf(const char *fmt, va_list ap) PRINTF(1, 0);

static inline void str_freep(char **p)
{
	free(*p);
}
#define CLEANUP_STR CLEANUP(str_freep)

static inline void mem_freep(void *p)
{
	free(*(void **)p);
}
#define CLEANUP_MEM CLEANUP(mem_freep)
