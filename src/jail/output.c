/* SPDX-License-Identifier: MIT */
#include "jail/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"

#define TAIL_BYTES 800
#define TAIL_LINES 10

/* Where the last @n lines of @text begin. */
static const char *last_lines(const char *text, int n)
{
	const char *p = text + strlen(text);

	while (p > text && p[-1] == '\n')
		p--;
	for (; p > text; p--)
		if (p[-1] == '\n' && --n == 0)
			break;
	return p;
}

char *output_tail(int fd)
{
	char text[TAIL_BYTES + 1];
	struct stat st;
	size_t size = 2 * TAIL_BYTES + 64, len = 0;
	char *out = xcalloc(size, 1);

	if (fd < 0 || fstat(fd, &st) < 0)
		return out;
	off_t from = st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0;
	ssize_t n = pread(fd, text, TAIL_BYTES, from);
	if (n <= 0)
		return out;
	for (ssize_t i = 0; i < n; i++) /* a NUL would hide what follows */
		if (!text[i])
			text[i] = '?';
	text[n] = '\0';
	char *save = NULL, *copy = xstrdup(last_lines(text, TAIL_LINES));
	for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		str_printable(l);
		if (len + strlen(l) + 5 >= size)
			break;
		len += (size_t)sprintf(out + len, "%s    %s", len ? "\n" : "", l);
	}
	free(copy);
	return out;
}
