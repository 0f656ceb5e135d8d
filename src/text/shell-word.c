/* SPDX-License-Identifier: MIT */
#include "text/shell.h"

#include <string.h>

static void put(struct shell_word *w, char c)
{
	if (w->n < sizeof(w->text) - 1)
		w->text[w->n++] = c;
	else
		w->plain = false;
}

static char next(struct shell *s)
{
	char c = s->text[s->at++];

	if (c == '\n')
		shell_count_line(s);
	return c;
}

static void substitute(struct shell *s, struct shell_word *w, char close)
{
	w->plain = false;
	shell_read_commands(s, close);
}

void shell_skip_arithmetic(struct shell *s)
{
	unsigned open = 0;

	while (shell_more(s)) {
		char c = next(s);
		open += c == '(';
		if (c == ')' && open-- <= 1)
			return;
	}
}

static void read_single(struct shell *s, struct shell_word *w, bool escapes)
{
	while (shell_more(s)) {
		char c = next(s);
		if (c == '\'')
			return;
		if (c == '\\' && escapes && shell_more(s)) {
			c = next(s);
			w->plain = false;
		}
		put(w, c);
	}
}

static void put_variable(const struct shell *s, struct shell_word *w, const char *name, size_t n)
{
	const struct strv *vars = &s->script->variables;

	for (size_t i = vars->n; i-- > 0;) {
		const char *v = vars->v[i];
		if (strncmp(v, name, n) != 0 || v[n] != '=')
			continue;
		for (v += n + 1; *v; v++)
			put(w, *v);
		return;
	}
	w->plain = false;
}

static size_t name_length(const struct shell *s)
{
	size_t n = 0;

	while (shell_is_name(shell_peek(s, n), n == 0))
		n++;
	return n;
}

static void read_dollar(struct shell *s, struct shell_word *w, bool in_quotes);
static void read_double(struct shell *s, struct shell_word *w);

/* One byte, or what it opens. */
static void read_part(struct shell *s, struct shell_word *w, bool in_quotes)
{
	char c = next(s);

	if (c == '\\' && shell_more(s)) {
		c = next(s);
		if (in_quotes && !memchr("$`\"\\\n", c, 5))
			put(w, '\\');
		if (c != '\n')
			put(w, c);
	} else if (c == '$') {
		read_dollar(s, w, in_quotes);
	} else if (c == '`') {
		substitute(s, w, '`');
	} else if (c == '"' && !in_quotes) {
		read_double(s, w);
	} else if (c == '\'' && !in_quotes) {
		w->quoted = true;
		read_single(s, w, false);
	} else {
		put(w, c);
	}
}

static void read_double(struct shell *s, struct shell_word *w)
{
	w->quoted = true;
	while (shell_more(s)) {
		if (shell_peek(s, 0) == '"') {
			next(s);
			return;
		}
		read_part(s, w, true);
	}
}

/* Behind "${": a name, and perhaps an operation with a word. A default ("${PERL:-/usr/bin/perl}")
 * stands for what is not known. */
static void read_brace(struct shell *s, struct shell_word *w)
{
	struct shell_word rest = {.plain = true}, value = {.plain = true};
	size_t n = name_length(s);
	const char *name = s->text + s->at;

	s->at += n;
	bool simple = shell_peek(s, 0) == '}';
	size_t colon = shell_peek(s, 0) == ':';
	bool fallback = shell_peek(s, colon) == '-' || shell_peek(s, colon) == '=';
	if (fallback)
		s->at += colon + 1;
	while (shell_more(s) && shell_peek(s, 0) != '}')
		read_part(s, &rest, false);
	if (shell_more(s))
		s->at++;
	if (n && (simple || fallback))
		put_variable(s, &value, name, n);
	else
		value.plain = false;
	if (!value.plain && fallback)
		value = rest;
	for (size_t i = 0; value.plain && i < value.n; i++)
		put(w, value.text[i]);
	w->plain &= value.plain;
}

static void read_dollar(struct shell *s, struct shell_word *w, bool in_quotes)
{
	char c = shell_peek(s, 0);

	if (c == '(' && shell_peek(s, 1) == '(') {
		w->plain = false;
		shell_skip_arithmetic(s);
	} else if (c == '(') {
		s->at++;
		substitute(s, w, ')');
	} else if (c == '{') {
		s->at++;
		if (s->script->depth++ < SHELL_DEPTH_MAX)
			read_brace(s, w);
		else
			s->at = s->len;
		s->script->depth--;
	} else if (c == '\'' && !in_quotes) {
		s->at++;
		w->quoted = true;
		read_single(s, w, true);
	} else if (shell_is_name(c, true)) {
		size_t n = name_length(s);
		put_variable(s, w, s->text + s->at, n);
		s->at += n;
	} else {
		w->plain = false;
	}
}

void shell_read_word(struct shell *s, struct shell_word *w)
{
	*w = (struct shell_word){.line = s->line, .plain = true};
	while (shell_more(s)) {
		char c = shell_peek(s, 0);
		if (!c || strchr(" \t\r\n;&|()<>", c) || (c == '`' && s->close == '`'))
			break;
		read_part(s, w, false);
	}
	w->text[w->n] = '\0';
}

/* The line at s->at, without its newline. */
static size_t line_length(const struct shell *s)
{
	const char *line = s->text + s->at, *end = memchr(line, '\n', s->len - s->at);
	return end ? (size_t)(end - line) : s->len - s->at;
}

static bool is_end(const struct shell *s, const struct shell_here *h, size_t n)
{
	const char *line = s->text + s->at;

	for (; h->tabs && n && *line == '\t'; n--)
		line++;
	return n == h->n && memcmp(line, h->end, n) == 0;
}

/* What an unquoted body substitutes. */
static void read_body(struct shell *s, size_t end)
{
	struct shell_word scratch = {.plain = true};
	size_t len = s->len;

	s->len = end;
	while (shell_more(s)) {
		scratch.n = 0;
		read_part(s, &scratch, true);
	}
	s->len = len;
}

static void skip_body(struct shell *s, const struct shell_here *h)
{
	const size_t start = s->at;
	const unsigned line = s->line;

	while (shell_more(s) && !is_end(s, h, line_length(s))) {
		s->at += line_length(s) + 1;
		shell_count_line(s);
	}
	size_t end = s->at < s->len ? s->at : s->len;
	if (!h->quoted) {
		s->at = start;
		s->line = line;
		read_body(s, end);
	}
	s->at = end;
	s->at += line_length(s);
	if (shell_more(s))
		next(s);
}

void shell_skip_here(struct shell *s)
{
	size_t n = s->n_here;

	s->n_here = 0; /* a body's own substitutions may have some */
	for (size_t i = 0; i < n; i++) {
		const struct shell_here h = s->here[i];
		skip_body(s, &h);
	}
}
