/* SPDX-License-Identifier: MIT */
#include "jail/compare.h"

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"

static FILE *reopen(int fd)
{
	char path[40];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return fopen(path, "re"); /* a position of its own, from the start */
}

static void show(char *to, size_t size, const char *line, ssize_t len)
{
	if (len < 0) {
		snprintf(to, size, "(no such line)");
		return;
	}
	size_t n = 0;
	for (; n < (size_t)len && n < size - 1 && line[n] != '\n'; n++)
		to[n] = line[n] ? line[n] : '?';
	to[n] = '\0';
	str_printable(to);
}

static bool same_bytes(const char *a, ssize_t na, const char *b, ssize_t nb)
{
	return na == nb && (na <= 0 || memcmp(a, b, (size_t)na) == 0);
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Equal but for the digits of numbers, however many they have. */
static bool same_shape(const char *a, ssize_t na, const char *b, ssize_t nb)
{
	ssize_t i = 0, j = 0;

	if ((na < 0) != (nb < 0))
		return false;
	while (i < na && j < nb) {
		if (digit(a[i]) && digit(b[j])) {
			while (i < na && digit(a[i]))
				i++;
			while (j < nb && digit(b[j]))
				j++;
		} else if (a[i++] != b[j++])
			return false;
	}
	return i >= na && j >= nb;
}

static void compare_lines(FILE *fa, FILE *fb, bool shape, struct difference *d)
{
	char *a = NULL, *b = NULL;
	size_t room_a = 0, room_b = 0, line = 0;
	ssize_t na, nb;

	do {
		na = getline(&a, &room_a, fa);
		nb = getline(&b, &room_b, fb);
		line++;
		if (same_bytes(a, na, b, nb))
			continue;
		if (!shape || !same_shape(a, na, b, nb)) {
			d->differs = true;
			d->line = line;
			show(d->a, sizeof(d->a), a, na);
			show(d->b, sizeof(d->b), b, nb);
			break;
		}
		d->masked++;
	} while (na >= 0);
	free(a);
	free(b);
}

int compare_outcomes(const struct outcome *a, const struct outcome *b, bool shape,
		     struct difference *ret)
{
	struct difference d = {.status_a = a->status, .status_b = b->status};
	FILE *fa = reopen(a->out), *fb = reopen(b->out);
	int r = fa && fb ? 0 : -errno;

	if (r == 0) {
		compare_lines(fa, fb, shape, &d);
		d.differs |= a->status != b->status;
	}
	if (fa)
		fclose(fa);
	if (fb)
		fclose(fb);
	*ret = d;
	return r;
}

/* The first that fits both lines is meant; dates hold numbers, and hashes may be all digits. */
static const struct {
	const char *pattern, *hint;
} hints[] = {
    {"^(date|expires|last-modified|age):",
     "a header that changes with time: add \"| grep -viE '^(date|expires|last-modified|age):'\""},
    {"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?|[0-9]{4}-[0-9]{2}-[0-9]{2}",
     "a date or time: add \"| sed -E 's/[0-9]+([:.-][0-9]+)+/TIME/g'\""},
    {"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
     "a random id: add \"| sed -E 's/[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}/ID/g'\""},
    {"(^|[^0-9a-z])[0-9a-f]{12,}($|[^0-9a-z])",
     "a hexadecimal id: add \"| sed -E 's/[0-9a-fA-F]{12,}/ID/g'\""},
    {"[0-9]", "a number: add \"| sed -E 's/[0-9]+/N/g'\", or Compare=shape in [Exercise]"},
};

static bool matches(const char *pattern, const char *text)
{
	regex_t re;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0)
		return false;
	bool found = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return found;
}

const char *difference_hint(const struct difference *d)
{
	for (size_t i = 0; d->line && i < ARRAY_LEN(hints); i++)
		if (matches(hints[i].pattern, d->a) && matches(hints[i].pattern, d->b))
			return hints[i].hint;
	return d->line ? "text: let the step leave it out (grep -v, sed, sort)"
		       : "the exit status: let the step end the same each time";
}
