/* SPDX-License-Identifier: MIT */
#include "relay/message.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/str.h"

#define TIME_LEN 15
#define TAG_MAX	 64

/* --- in --- */

struct reader {
	const char *at, *end;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool take(struct reader *r, char c)
{
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

/* "<0>" to "<191>". What claims to be the kernel is a user's, as syslogd(8) has it. */
static int take_pri(struct reader *r)
{
	struct reader t = *r;
	int pri = 0, digits = 0;

	if (!take(&t, '<'))
		return PRI_DEFAULT;
	for (; t.at < t.end && is_digit(*t.at) && digits < 3; digits++)
		pri = pri * 10 + (*t.at++ - '0');
	if (!digits || !take(&t, '>') || pri > 191)
		return PRI_DEFAULT;
	*r = t;
	return pri < 8 ? pri + 8 : pri;
}

static bool is_month(const char *at)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (size_t i = 0; i < sizeof(months) - 1; i += 3)
		if (memcmp(at, months + i, 3) == 0)
			return true;
	return false;
}

/* "Mmm dd hh:mm:ss ", digits where digits belong. */
static const char *take_time(struct reader *r)
{
	static const char shape[] = "    d dd:dd:dd ";
	const char *at = r->at;

	if (r->end - at < TIME_LEN + 1 || !is_month(at) || at[3] != ' ' || at[TIME_LEN] != ' ')
		return NULL;
	if (at[4] != ' ' && !is_digit(at[4]))
		return NULL;
	for (size_t i = 5; i < TIME_LEN; i++)
		if (shape[i - 1] == 'd' ? !is_digit(at[i]) : at[i] != shape[i - 1])
			return NULL;
	r->at += TIME_LEN + 1;
	return at;
}

static bool is_tag(char c)
{
	return c > ' ' && c < 0x7f && !strchr(":[]<>\"", c);
}

/* "TAG:", "TAG[anything]:", "TAG[anything] "; a word alone is text. */
static size_t take_tag(struct reader *r, const char **ret)
{
	struct reader t = *r;

	while (t.at < t.end && is_tag(*t.at) && t.at - r->at < TAG_MAX)
		t.at++;
	size_t len = (size_t)(t.at - r->at);
	bool bracket = take(&t, '[');
	if (bracket) {
		while (t.at<t.end && * t.at> ' ' && *t.at < 0x7f && *t.at != ']' &&
		       t.at - r->at < 2 * TAG_MAX)
			t.at++;
		if (!take(&t, ']'))
			return 0;
	}
	if ((!take(&t, ':') && !bracket) || !len)
		return 0;
	take(&t, ' ');
	*ret = r->at;
	r->at = t.at;
	return len;
}

/* "1 TIME HOST APP PROCID MSGID ": the application is the tag. Its time is ours to write. */
static bool take_5424(struct reader *r, struct message *m)
{
	struct reader t = *r;
	const char *word[6] = {NULL};
	size_t len[6] = {0};

	for (size_t i = 0; i < ARRAY_LEN(word); i++) {
		word[i] = t.at;
		while (t.at<t.end && * t.at> ' ')
			t.at++;
		len[i] = (size_t)(t.at - word[i]);
		if (!len[i] || !take(&t, ' '))
			return false;
	}
	if (len[0] != 1 || word[0][0] != '1' || !(is_digit(word[1][0]) || word[1][0] == '-'))
		return false;
	for (size_t i = 0; i < len[3]; i++)
		if (!is_tag(word[3][i]) || i == TAG_MAX)
			return false;
	m->tag = word[3];
	m->tag_len = len[3] == 1 && word[3][0] == '-' ? 0 : len[3];
	if (t.end - t.at >= 2 && t.at[0] == '-' && t.at[1] == ' ') /* no structured data */
		t.at += 2;
	*r = t;
	return true;
}

void message_parse(const char *bytes, size_t len, struct message *ret)
{
	/* C libraries end a record by a NUL or a newline, or by nothing. */
	while (len && (bytes[len - 1] == '\0' || bytes[len - 1] == '\n' || bytes[len - 1] == '\r'))
		len--;
	struct reader r = {bytes, bytes + len};
	struct message m = {.pri = take_pri(&r)};

	if (!take_5424(&r, &m)) {
		m.time = take_time(&r);
		m.tag_len = take_tag(&r, &m.tag);
	}
	m.text = r.at;
	m.text_len = (size_t)(r.end - r.at);
	*ret = m;
}

/* --- out --- */

struct writer {
	char *buf;
	size_t n, room;
	bool cut;
};

/* All of it or nothing: half an escape or half a character would be none. */
static void put(struct writer *w, const char *bytes, size_t n)
{
	if (w->cut || w->n + n > w->room) {
		w->cut = true;
		return;
	}
	memcpy(w->buf + w->n, bytes, n);
	w->n += n;
}

static void put_text(struct writer *w, const char *s)
{
	put(w, s, strlen(s));
}

/* The length of the UTF-8 character at @at, RFC 3629; 0 where there is none, or a C1 control. */
static size_t character(const char *at, size_t left)
{
	static const struct {
		unsigned char from, to, low, high; /* first byte, second byte */
		size_t len;
	} forms[] = {
	    {0xc2, 0xc2, 0xa0, 0xbf, 2}, {0xc3, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
	    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
	    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	const unsigned char *b = (const unsigned char *)at;

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (b[0] < forms[i].from || b[0] > forms[i].to)
			continue;
		size_t n = forms[i].len;
		if (left < n || b[1] < forms[i].low || b[1] > forms[i].high)
			return 0;
		for (size_t k = 2; k < n; k++)
			if (b[k] < 0x80 || b[k] > 0xbf)
				return 0;
		return n;
	}
	return 0;
}

static void put_escaped(struct writer *w, const char *text, size_t len)
{
	for (size_t i = 0; i < len && !w->cut;) {
		unsigned char c = (unsigned char)text[i];
		char octal[8];
		size_t n = (c >= ' ' && c < 0x7f) || c == '\t' ? 1
			   : c >= 0x80			       ? character(text + i, len - i)
							       : 0;
		if (n)
			put(w, text + i, n);
		else
			put(w, octal, (size_t)snprintf(octal, sizeof(octal), "#%03o", c));
		i += n ? n : 1;
	}
}

static bool begins_with(const struct message *m, const char *jail)
{
	size_t n = strlen(jail);

	return m->tag_len >= n && memcmp(m->tag, jail, n) == 0 &&
	       (m->tag_len == n || m->tag[n] == '/');
}

static void put_tag(struct writer *w, const struct message *m, const struct origin *o)
{
	if (!begins_with(m, o->jail)) {
		put_text(w, o->jail);
		if (m->tag_len)
			put(w, "/", 1);
	}
	if (m->tag_len)
		put(w, m->tag, m->tag_len);
}

/* As the sender says, else the host's local time. */
static void put_time(struct writer *w, const struct message *m, const struct origin *o)
{
	char text[32];
	struct tm tm;

	if (m->time) {
		put(w, m->time, TIME_LEN);
		return;
	}
	localtime_r(&o->at.tv_sec, &tm);
	put(w, text, strftime(text, sizeof(text), "%b %e %H:%M:%S", &tm));
}

static void put_number(struct writer *w, const char *before, long n, const char *after)
{
	char text[48];

	put(w, text, (size_t)snprintf(text, sizeof(text), "%s%ld%s", before, n, after));
}

static void head_local(struct writer *w, const struct message *m, const struct origin *o)
{
	put_number(w, "<", m->pri, ">");
	put_time(w, m, o);
	put(w, " ", 1);
	put_tag(w, m, o);
	put_number(w, "[", o->pid, "]: ");
}

static void head_file(struct writer *w, const struct message *m, const struct origin *o)
{
	put_time(w, m, o);
	put(w, " ", 1);
	put_text(w, o->host);
	put(w, " ", 1);
	put_tag(w, m, o);
	put_number(w, "[", o->pid, "]: ");
}

/* A name in a header of RFC 5424 has 48 characters at most, a host's 255. */
#define APP_NAME_MAX 48

/* What is longer is cut: a name that tells less is better than none. */
static size_t app_name(const struct message *m, const struct origin *o, char *buf, size_t size)
{
	struct writer w = {buf, 0, size, false};

	put_tag(&w, m, o);
	return w.n < APP_NAME_MAX ? w.n : APP_NAME_MAX;
}

static void head_5424(struct writer *w, const struct message *m, const struct origin *o)
{
	char stamp[64], name[4 * TAG_MAX];
	struct tm tm;

	gmtime_r(&o->at.tv_sec, &tm);
	size_t n = strftime(stamp, sizeof(stamp), ">1 %Y-%m-%dT%H:%M:%S.", &tm);
	snprintf(stamp + n, sizeof(stamp) - n, "%06ldZ ", o->at.tv_nsec / 1000);
	put_number(w, "<", m->pri, stamp);
	put_text(w, o->host[0] ? o->host : "-");
	put(w, " ", 1);
	put(w, name, app_name(m, o, name, sizeof(name)));
	put_number(w, " ", o->pid, " - - ");
}

static const struct {
	void (*head)(struct writer *w, const struct message *m, const struct origin *o);
	const char *end;
} forms[FORM_COUNT] = {
    [FORM_LOCAL] = {head_local, ""},
    [FORM_FILE] = {head_file, "\n"},
    [FORM_5424] = {head_5424, ""},
};

#define COUNT_MAX 8 /* "8192 " */

size_t message_render(const struct message *m, const struct origin *o, enum message_form form,
		      char buf[MESSAGE_MAX])
{
	static const char more[] = "...";
	size_t count = form == FORM_5424 ? COUNT_MAX : 0;
	struct writer w = {buf + count, 0, MESSAGE_MAX - count - sizeof(more), false};
	char number[COUNT_MAX + 16];

	forms[form].head(&w, m, o);
	put_escaped(&w, m->text, m->text_len);
	w.room += sizeof(more);
	if (w.cut) {
		w.cut = false;
		put_text(&w, more);
	}
	put_text(&w, forms[form].end);
	if (!count)
		return w.n;
	size_t n = (size_t)snprintf(number, sizeof(number), "%zu ", w.n);
	memmove(buf + n, buf + count, w.n);
	memcpy(buf, number, n);
	return n + w.n;
}
