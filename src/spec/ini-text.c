/* SPDX-License-Identifier: MIT */
#include "spec/ini-text.h"

#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/str.h"

struct reader {
	const char *at, *end;
	const char *file;
	unsigned next_line; /* number of the physical line at `at` */
	unsigned line;	    /* where the logical line that libinih works on began */
	bool no_equals;	    /* it is an entry without "=" (libinih takes ":" for one) */
	char *joined;	    /* the logical line: as much room as the whole text needs */
	ini_text_fn fn;
	void *user;
	struct err *e;
	int error;
};

/* The length of the UTF-8 character at @s, or 0: overlong forms, surrogates and what lies beyond
 * U+10FFFF are no characters. */
static size_t utf8_char(const unsigned char *s, size_t left)
{
	static const struct {
		unsigned char mask, lead;
		unsigned least;
	} forms[] = {
	    {0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

	for (size_t n = 1; n <= ARRAY_LEN(forms) && n <= left; n++) {
		if ((s[0] & forms[n - 1].mask) != forms[n - 1].lead)
			continue;
		unsigned c = s[0] & (unsigned char)~forms[n - 1].mask;
		for (size_t i = 1; i < n; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (s[i] & 0x3f);
		}
		bool good = c >= forms[n - 1].least && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
		return good ? n : 0;
	}
	return 0;
}

/* What is wrong with the bytes, or NULL. */
static const char *bad_bytes(const char *s, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		unsigned char c = (unsigned char)s[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return "a control character";
		n = utf8_char((const unsigned char *)s + i, len - i);
		if (!n)
			return "bytes that are not UTF-8";
	}
	return NULL;
}

static bool ends_joined(const char *s, size_t len)
{
	size_t slashes = 0;

	while (slashes < len && s[len - 1 - slashes] == '\\')
		slashes++;
	return slashes % 2 == 1;
}

/* The next physical line without its end (LF or CR LF). */
static const char *physical_line(struct reader *r, size_t *ret_len)
{
	const char *start = r->at;
	const char *lf = memchr(start, '\n', (size_t)(r->end - start));
	size_t len = (size_t)((lf ? lf : r->end) - start);

	r->at = lf ? lf + 1 : r->end;
	r->next_line++;
	if (len && start[len - 1] == '\r')
		len--;
	*ret_len = len;
	return start;
}

static bool is_comment(const char *s, size_t len)
{
	while (len && (*s == ' ' || *s == '\t'))
		s++, len--;
	return len && (*s == '#' || *s == ';');
}

/* Joins lines into r->joined as systemd does: a comment in between is passed over, the backslash
 * becomes a space. Returns the length; 0 also for empty lines and comments. */
static size_t logical_line(struct reader *r)
{
	size_t used = 0;
	bool more = true;

	r->line = r->next_line;
	while (more && r->at < r->end && !r->error) {
		size_t len;
		unsigned number = r->next_line;
		const char *s = physical_line(r, &len);
		const char *bad = bad_bytes(s, len);
		if (bad && !is_comment(s, len)) {
			r->error = err_set(r->e, -EINVAL, "%s:%u: %s", r->file, number, bad);
			break;
		}
		if (is_comment(s, len)) {
			more = used > 0;
			continue;
		}
		more = ends_joined(s, len);
		memcpy(r->joined + used, s, len);
		used += len;
		if (more)
			r->joined[used - 1] = ' ';
	}
	r->joined[used] = '\0';
	return used;
}

/* Tells of a section's header: one without entries would go unseen. */
static void tell_header(struct reader *r, const char *s)
{
	const char *close = strchr(s, ']');

	if (!close || close[1]) {
		r->error = err_set(r->e, -EINVAL, "%s:%u: a section header is [NAME], nothing else",
				   r->file, r->line);
		return;
	}
	CLEANUP_STR char *name = xstrndup(s + 1, (size_t)(close - s - 1));
	r->error = r->fn(r->user, name, NULL, NULL, r->line, r->e);
}

static void look_at_line(struct reader *r)
{
	size_t len = strlen(r->joined);
	const char *s = r->joined + strspn(r->joined, " \t");

	while (len && strchr(" \t", r->joined[len - 1]))
		r->joined[--len] = '\0';
	r->no_equals = s[strcspn(s, "=:")] != '=';
	if (*s == '[')
		tell_header(r, s);
}

/* libinih's fgets(): a logical line fits its buffer, which is as large as the text. */
static char *read_line(char *buf, int size, void *stream)
{
	struct reader *r = stream;

	if (r->at >= r->end || r->error)
		return NULL;
	size_t len = logical_line(r);
	look_at_line(r);
	if (r->error || len + 2 > (size_t)size)
		return NULL;
	snprintf(buf, (size_t)size, "%s\n", r->joined);
	return buf;
}

/* Returns nonzero where libinih may go on. */
static int entry(void *user, const char *section, const char *key, const char *value)
{
	struct reader *r = user;
	const char *line = r->joined + strspn(r->joined, " \t");

	if (r->no_equals)
		r->error = r->fn(r->user, section, line, NULL, r->line, r->e);
	else
		r->error = r->fn(r->user, section, key, value, r->line, r->e);
	return r->error == 0;
}

/* Debian builds libinih so that its compile-time choices are variables. */
static void configure_inih(size_t longest)
{
	ini_allow_multiline = false; /* indented lines are entries like others */
	ini_allow_inline_comments = false;
	ini_allow_no_value = true; /* entry() hears of lines without "=" and knows the line */
	ini_stop_on_first_error = true;
	ini_allow_bom = true;
	ini_use_stack = false;
	ini_allow_realloc = false;
	ini_max_line = ini_initial_alloc = (int)longest;
}

int ini_text_parse(const char *text, size_t len, const char *file, ini_text_fn fn, void *user,
		   struct err *e)
{
	if (len > INI_TEXT_MAX)
		return err_set(e, -EFBIG, "%s: longer than %u bytes", file, INI_TEXT_MAX);
	CLEANUP_STR char *joined = xcalloc(len + 1, 1);
	struct reader r = {.at = text,
			   .end = text + len,
			   .file = file,
			   .next_line = 1,
			   .joined = joined,
			   .fn = fn,
			   .user = user,
			   .e = e};

	configure_inih(len + 4);
	int status = ini_parse_stream(read_line, &r, entry, &r);
	if (r.error)
		return r.error;
	if (status)
		return err_set(e, -EINVAL, "%s:%u: not understood", file, r.line);
	return 0;
}

int ini_text_value_ok(const char *s, struct err *e)
{
	size_t len = strlen(s);
	const char *bad = bad_bytes(s, len);

	if (bad)
		return err_set(e, -EINVAL, "%s in the value", bad);
	if (len && (strchr(" \t", s[0]) || strchr(" \t", s[len - 1])))
		return err_set(e, -EINVAL, "a blank at the beginning or end of the value");
	if (ends_joined(s, len))
		return err_set(e, -EINVAL, "a backslash at the end of the value");
	return 0;
}
