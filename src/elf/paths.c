/* SPDX-License-Identifier: MIT */
/* Paths compiled into a program: strings in what is loaded and not written. */
#include <ctype.h>
#include <errno.h>

#include "base/alloc.h"
#include "elf/interp.h"
#include "elf/object-parts.h"

#define KEY_LEN_MIN  4
#define PATH_LEN_MAX 255	 /* of one */
#define BYTES_MAX    (64u << 20) /* of all segments together */
#define BLOCK	     (64u << 10)

/* Of a block that is not the last, its end is looked at with the next: a NUL and a whole path. */
#define KEPT (1 + PATH_LEN_MAX)

/* What was read of a segment and not yet looked at. */
struct scan {
	char buf[KEPT + BLOCK];
	size_t len;
	size_t max;
	struct strv *ret;
};

/* Length of the word at @p, if a NUL ends it within @room; else 0. */
static size_t word_length(const char *p, size_t room)
{
	size_t n = 0;

	while (n < room && n <= PATH_LEN_MAX && p[n] > ' ' && p[n] < 0x7f)
		n++;
	return n < room && n <= PATH_LEN_MAX && p[n] == '\0' ? n : 0;
}

/* Whether a key stands before @p and a space, and begins the string: at least four bytes, since
 * there are tables of what other programs begin with ("a /usr/bin/perl"). */
static bool follows_key(const struct scan *s, const char *p)
{
	const char *key = p - 1;

	if (p - s->buf < 2 || *key != ' ')
		return false;
	while (key > s->buf && (isalnum((unsigned char)key[-1]) || key[-1] == '_'))
		key--;
	return p - 1 - key >= KEY_LEN_MIN && key > s->buf && key[-1] == '\0';
}

/* Takes each "/word\0" that is a string, or the value behind its key, and starts before @end. */
static void scan_strings(struct scan *s, size_t end)
{
	const char *p = s->buf, *stop = s->buf + end;

	while (s->ret->n < s->max && (p = memchr(p + 1, '/', (size_t)(stop - p - 1)))) {
		bool begins = p[-1] == '\0' || follows_key(s, p);
		size_t n = begins ? word_length(p, (size_t)(s->buf + s->len - p)) : 0;
		if (n > 1)
			strv_take(s->ret, xstrndup(p, n));
	}
}

static int scan_segment(struct image *im, struct scan *s, uint64_t at, uint64_t left)
{
	s->buf[0] = '\0'; /* a string may begin with the segment */
	s->len = 1;
	while (left && s->ret->n < s->max) {
		size_t n = left < BLOCK ? (size_t)left : BLOCK;
		int r = image_get(im, at, n, s->buf + s->len);
		if (r < 0)
			return r;
		at += n;
		left -= n;
		s->len += n;
		size_t kept = left ? KEPT : 0;
		scan_strings(s, left ? s->len - kept + 1 : s->len);
		memmove(s->buf, s->buf + s->len - kept, kept);
		s->len = kept;
	}
	return 0;
}

static int scan_object(struct dynamic *d, size_t max, struct strv *ret)
{
	uint64_t budget = BYTES_MAX;
	struct scan s;
	int r = 0;

	s.max = ret->n + max;
	s.ret = ret;
	for (size_t i = 0; r == 0 && i < d->n_segments; i++) {
		const struct elf_segment *g = &d->segments[i];
		uint64_t n = g->filesz < budget ? g->filesz : budget;
		if (g->type != PT_LOAD || g->flags & PF_W)
			continue;
		budget -= n;
		r = scan_segment(d->im, &s, g->offset, n);
	}
	strv_sort_unique(ret);
	return r;
}

int elf_paths(int fd, size_t max, struct strv *ret, struct err *e)
{
	uint8_t head[INTERP_HEAD];
	struct image im;
	struct dynamic d CLEANUP_DYNAMIC = {0};
	int r = object_open_fd(&d, &im, head, fd, e);

	return r < 0 ? r : object_broken(scan_object(&d, max, ret), "read-only data", e);
}
