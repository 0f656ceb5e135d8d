/* SPDX-License-Identifier: MIT */
#include "text/token-lex.h"

#include <ctype.h>
#include <string.h>

#include "base/attr.h"
#include "base/str.h"

static char peek(const struct lexer *l, size_t ahead)
{
	return ahead < l->len - l->at ? l->text[l->at + ahead] : '\0';
}

static bool at_text(const struct lexer *l, const char *s)
{
	size_t n = strlen(s);
	return n <= l->len - l->at && memcmp(l->text + l->at, s, n) == 0;
}

static bool at_any(const struct lexer *l, const char *bytes)
{
	char c = peek(l, 0);
	return c && strchr(bytes, c);
}

static void skip_line(struct lexer *l)
{
	while (l->at < l->len && l->text[l->at] != '\n')
		l->at++;
}

static void skip_past(struct lexer *l, const char *end)
{
	while (l->at < l->len && !at_text(l, end))
		l->line += l->text[l->at++] == '\n';
	l->at += l->at < l->len ? strlen(end) : 0;
}

/* Of " ; text" the rest is a comment, of " ; name value;" it is another statement. */
static bool is_remark(const struct lexer *l)
{
	const char *rest = l->text + l->at + 1, *end = memchr(rest, '\n', l->len - l->at - 1);
	size_t n = end ? (size_t)(end - rest) : l->len - l->at - 1;
	bool behind_blank = l->line_start || (l->at && isblank((unsigned char)l->text[l->at - 1]));

	return l->line_start || (behind_blank && !memchr(rest, ';', n) && !memchr(rest, '}', n));
}

static const struct {
	const char *begin, *end; /* without an end: up to the line's */
	bool at_start;		 /* only at the beginning of a line */
} comments[] = {
    {"<!--", "-->", false}, {"/*", "*/", false}, {"//", NULL, false},
    {"#", NULL, false},	    {"--", NULL, true},	 {"dnl ", NULL, true},
};

/* Before a word. One that is not closed is none: then none of its kind is sought again. */
static bool skip_comment(struct lexer *l)
{
	if (peek(l, 0) == ';' && is_remark(l)) {
		skip_line(l);
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(comments); i++) {
		const char *end = comments[i].end;
		if (!at_text(l, comments[i].begin) || (comments[i].at_start && !l->line_start) ||
		    l->open[i])
			continue;
		l->open[i] = end && !memmem(l->text + l->at, l->len - l->at, end, strlen(end));
		if (end && !l->open[i])
			skip_past(l, end);
		else if (!end)
			skip_line(l);
		return !l->open[i];
	}
	return false;
}

/* Blanks, comments and continued lines. */
static void skip_space(struct lexer *l)
{
	for (;;) {
		if (at_any(l, " \t\r\f\v") || (l->at < l->len && !peek(l, 0))) {
			l->at++;
		} else if (peek(l, 0) == '\\' && (peek(l, 1) == '\n' || at_text(l, "\\\r\n"))) {
			l->at += peek(l, 1) == '\n' ? 2 : 3;
			l->line++;
		} else if (!skip_comment(l)) {
			return;
		}
	}
}

/* Marks, the longest first. A ":" is one where a blank, a quote or the end of the line follows. */
static const struct {
	const char *text;
	enum piece_kind kind;
} marks[] = {
    {"</", PIECE_CLOSE}, {"<", PIECE_TAG},    {"/>", PIECE_FULL},  {">", PIECE_FULL},
    {"=>", PIECE_IS},	 {"+=", PIECE_IS},    {":=", PIECE_IS},	   {"?=", PIECE_IS},
    {"==", PIECE_COMMA}, {"=~", PIECE_COMMA}, {"!=", PIECE_COMMA}, {"=", PIECE_IS},
    {";", PIECE_STOP},	 {"{", PIECE_STOP},   {"}", PIECE_STOP},   {",", PIECE_COMMA},
    {"(", PIECE_COMMA},	 {")", PIECE_COMMA},  {"[", PIECE_COMMA},  {"]", PIECE_COMMA},
    {":", PIECE_IS},
};

/* What ends a word in its middle: not what patterns, variables and times are made of. */
static bool ends_word(const struct lexer *l, const struct piece *p)
{
	char c = peek(l, 0), then = peek(l, 1);

	if (!c || isspace((unsigned char)c) || strchr("=;,{}()<>", c))
		return true;
	if (c == ':')
		return !then || isspace((unsigned char)then);
	if (c == ']')
		return !memchr(p->text, '[', p->n);
	return c == '\\' && then == '\n';
}

static void put(struct piece *p, char c)
{
	if (p->n < sizeof(p->text) - 1)
		p->text[p->n++] = c;
	else
		p->cut = true;
}

static void read_quoted(struct lexer *l, struct piece *p)
{
	const char quote = l->text[l->at++];

	for (; l->at < l->len && l->text[l->at] != quote; l->at++) {
		char c = l->text[l->at];
		bool escape = c == '\\' && peek(l, 1) && strchr("\"'\\/", peek(l, 1));
		if (escape)
			c = l->text[++l->at];
		l->line += c == '\n';
		put(p, c);
	}
	l->at += l->at < l->len;
}

/* "${NAME}", "%{NAME}" in a word. */
static void read_variable(struct lexer *l, struct piece *p)
{
	while (l->at < l->len && !at_any(l, "}\n"))
		put(p, l->text[l->at++]);
	if (peek(l, 0) == '}')
		put(p, l->text[l->at++]);
}

/* A quote that is not closed nearby is an apostrophe. */
static bool opens_quote(const struct lexer *l, const struct piece *p)
{
	char c = peek(l, 0);
	size_t rest = l->len - l->at - 1;

	if (c != '"' && (c != '\'' || l->at > p->start))
		return false;
	return memchr(l->text + l->at + 1, c, rest < PIECE_MAX ? rest : PIECE_MAX);
}

static void read_word(struct lexer *l, struct piece *p)
{
	p->kind = PIECE_WORD;
	p->quoted = at_any(l, "\"'");
	while (l->at < l->len) {
		char c = peek(l, 0);
		if (opens_quote(l, p)) {
			read_quoted(l, p);
			if (p->quoted)
				break; /* what follows is most often a mark */
			continue;
		}
		if (l->at > p->start && ends_word(l, p))
			break;
		if ((c == '$' || c == '%') && peek(l, 1) == '{') {
			read_variable(l, p);
			continue;
		}
		p->glob |= strchr("*?[", c) != NULL;
		put(p, c);
		l->at++;
	}
}

static bool read_mark(struct lexer *l, struct piece *p)
{
	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (at_text(l, marks[i].text)) {
			l->at += strlen(marks[i].text);
			p->kind = marks[i].kind;
			return true;
		}
	return false;
}

void lexer_next(struct lexer *l, struct piece *ret)
{
	skip_space(l);
	ret->start = l->at;
	ret->line = l->line;
	ret->n = 0;
	ret->quoted = ret->glob = ret->cut = false;
	ret->kind = PIECE_END;
	if (peek(l, 0) == '\n') {
		l->at++;
		l->line++;
		ret->kind = PIECE_LINE;
	} else if (l->at < l->len && !read_mark(l, ret)) {
		read_word(l, ret);
	}
	l->line_start = ret->kind == PIECE_LINE;
	ret->text[ret->n] = '\0';
	ret->end = l->at;
}

static size_t line_end(const struct lexer *l, size_t at)
{
	const char *end = memchr(l->text + at, '\n', l->len - at);
	return end ? (size_t)(end - l->text) : l->len;
}

/* Blanks at the beginning of the line that begins at @at. */
static size_t indent_at(const struct lexer *l, size_t at)
{
	size_t n = 0;

	while (at + n < l->len && (l->text[at + n] == ' ' || l->text[at + n] == '\t'))
		n++;
	return n;
}

static size_t line_begin(const struct lexer *l, size_t at)
{
	const char *newline = memrchr(l->text, '\n', at);
	return newline ? (size_t)(newline + 1 - l->text) : 0;
}

/* Whether the line that begins at @at goes on one with @indent: it stands further in, and is no
 * comment. */
static bool continues(const struct lexer *l, size_t at, size_t indent)
{
	size_t n = indent_at(l, at);
	return n > indent && at + n < l->len && !strchr("#\n\r", l->text[at + n]);
}

size_t lexer_value_end(const struct lexer *l, size_t at, bool indented)
{
	size_t end = line_end(l, at), indent = indent_at(l, line_begin(l, at));

	while (
	    end < l->len && end - at < PIECE_MAX &&
	    ((end > at && l->text[end - 1] == '\\') || (indented && continues(l, end + 1, indent))))
		end = line_end(l, end + 1);
	return end;
}
