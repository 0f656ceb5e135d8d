/* SPDX-License-Identifier: MIT */
#include "jail/compare.h"

#include <errno.h>
#include <fcntl.h>
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
		if (!(shape ? same_shape(a, na, b, nb) : same_bytes(a, na, b, nb))) {
			d->differs = true;
			d->line = line;
			show(d->a, sizeof(d->a), a, na);
			show(d->b, sizeof(d->b), b, nb);
			break;
		}
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
