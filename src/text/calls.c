/* SPDX-License-Identifier: MIT */
#include "text/calls.h"

#include <ctype.h>
#include <string.h>

#include "base/alloc.h"

/* How far behind a word its names are sought. */
#define ARGUMENTS_MAX 512

#define DIRS_MAX 32

static const struct dialect *const dialects[SCRIPT_LANGUAGES] = {
    [SCRIPT_PERL] = &calls_perl, [SCRIPT_PYTHON] = &calls_python, [SCRIPT_RUBY] = &calls_ruby,
    [SCRIPT_PHP] = &calls_php,	 [SCRIPT_NODE] = &calls_node,	  [SCRIPT_LUA] = &calls_lua,
};

bool scan_more(const struct script_scan *s)
{
	return s->at < s->len;
}

char scan_peek(const struct script_scan *s, size_t ahead)
{
	return ahead < s->len - s->at ? s->text[s->at + ahead] : '\0';
}

bool scan_at(const struct script_scan *s, const char *text)
{
	size_t n = strlen(text);
	return n <= s->len - s->at && memcmp(s->text + s->at, text, n) == 0;
}

bool scan_at_any(const struct script_scan *s, const char *bytes)
{
	char c = scan_peek(s, 0);
	return c && strchr(bytes, c);
}

void scan_advance(struct script_scan *s)
{
	if (s->text[s->at++] == '\n') {
		s->line++;
		s->line_start = s->at;
	}
}

static void skip(struct script_scan *s, size_t n)
{
	while (n-- && scan_more(s))
		scan_advance(s);
}

void scan_skip_blanks(struct script_scan *s, bool lines)
{
	while (scan_at_any(s, lines ? " \t\r\n" : " \t"))
		scan_advance(s);
}

void scan_skip_to(struct script_scan *s, const char *bytes)
{
	while (scan_more(s) && !scan_at_any(s, bytes))
		scan_advance(s);
}

size_t scan_word(const struct script_scan *s, const char *joiners)
{
	size_t n = 0;
	char c;

	while ((c = scan_peek(s, n)) &&
	       (isalnum((unsigned char)c) || c == '_' || strchr(joiners, c)))
		n++;
	return n;
}

char scan_before(const struct script_scan *s)
{
	for (size_t i = s->word; i > s->line_start;) {
		char c = s->text[--i];
		if (c != ' ' && c != '\t')
			return c;
	}
	return '\0';
}

struct script_scan scan_arguments(const struct script_scan *s)
{
	struct script_scan a = *s;

	if (a.len - a.at > ARGUMENTS_MAX)
		a.len = a.at + ARGUMENTS_MAX;
	return a;
}

static char closing(char open)
{
	const char *pair = strchr("()[]{}<>", open);
	return pair && *pair ? pair[1] : open;
}

char *scan_string(struct script_scan *s)
{
	const char end = closing(scan_peek(s, 0));
	const size_t start = s->at + 1;
	size_t stop = start, n = 0;

	while (stop < s->len && s->text[stop] != end)
		stop += s->text[stop] == '\\' ? 2 : 1;
	if (stop >= s->len)
		return NULL;
	char *string = xcalloc(stop - start + 1, 1);
	skip(s, 1);
	while (s->at < stop) {
		if (scan_peek(s, 0) == '\\')
			s->at++;
		string[n++] = scan_peek(s, 0);
		scan_advance(s);
	}
	skip(s, 1);
	return string;
}

char *scan_first_string(struct script_scan *s)
{
	while (scan_at_any(s, " \t\r\n([{"))
		scan_advance(s);
	/* Perl's q(), qq() and qw(), Python's prefixes. */
	size_t n = scan_word(s, "");
	if (n > 2)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (!strchr("qrbfuw", scan_peek(s, i)))
			return NULL;
	s->at += n;
	return scan_at_any(s, n ? "'\"([{|/!" : "'\"") ? scan_string(s) : NULL;
}

void scan_add(struct script_scan *s, const char *name, size_t n)
{
	script_words_add(s->ret, name, n, s->line, true, s->lazy);
}

void scan_add_line(struct script_scan *s, const char *command_line)
{
	static const char shell[] = "/bin/sh";

	script_words_shell(command_line, strlen(command_line), s->line, 1, s->ret);
	if (strpbrk(command_line, s->dialect->shell))
		script_words_add(s->ret, shell, sizeof(shell) - 1, s->line, false, false);
}

void call_module(struct script_scan *s)
{
	struct script_scan a = scan_arguments(s);
	CLEANUP_STR char *name = scan_first_string(&a);

	if (name)
		scan_add(s, name, strlen(name));
}

void call_beside(struct script_scan *s)
{
	struct script_scan a = scan_arguments(s);
	CLEANUP_STR char *name = scan_first_string(&a);
	CLEANUP_STR char *path = name ? xasprintf("./%s", name) : NULL;

	if (path)
		scan_add(s, path, strlen(path));
}

void call_command(struct script_scan *s)
{
	struct script_scan a = scan_arguments(s);
	CLEANUP_STR char *line = scan_first_string(&a);

	if (line)
		scan_add_line(s, line);
}

void call_quoted(struct script_scan *s)
{
	struct script_scan a = scan_arguments(s);

	scan_skip_blanks(&a, false);
	if (!ispunct((unsigned char)scan_peek(&a, 0)))
		return;
	CLEANUP_STR char *line = scan_string(&a);
	if (line)
		scan_add_line(s, line);
}

/* "/x", "./x"; "$FindBin::Bin/x" stands beside the script. */
static void add_dir(struct script_scan *s, const char *dir)
{
	const char *bin = strstr(dir, "Bin/");
	CLEANUP_STR char *beside = dir[0] == '$' && bin ? xasprintf("./%s", bin + 4) : NULL;

	if (beside)
		dir = beside;
	if ((dir[0] == '/' || dir[0] == '.') && s->ret->dirs.n < DIRS_MAX &&
	    !strv_has(&s->ret->dirs, dir))
		strv_add(&s->ret->dirs, dir);
}

void call_dirs(struct script_scan *s)
{
	struct script_scan a = scan_arguments(s);

	while (scan_more(&a) && !scan_at_any(&a, ";\n")) {
		bool quoted = scan_at_any(&a, "'\""), bare = scan_at_any(&a, "/");
		size_t n = bare ? scan_word(&a, "/.-") : 0;
		CLEANUP_STR char *dir = quoted ? scan_string(&a)
					: bare ? xstrndup(a.text + a.at, n)
					       : NULL;
		a.at += n;
		if (dir)
			add_dir(s, dir);
		else
			skip(&a, 1);
	}
}

/* "`...`" on one line: the quotes of prose run on. */
static void read_backquotes(struct script_scan *s)
{
	struct script_scan a = scan_arguments(s);
	const char *newline = memchr(a.text + a.at, '\n', a.len - a.at);

	if (newline)
		a.len = (size_t)(newline - a.text);
	CLEANUP_STR char *line = scan_string(&a);
	if (line)
		scan_add_line(s, line);
	skip(s, line ? a.at - s->at : 1);
}

/* A quote ends with its line, so that one that is none does little harm; Python's """ do not. */
static void skip_quoted(struct script_scan *s)
{
	const char c = scan_peek(s, 0);
	const bool triple = s->dialect->indents && scan_peek(s, 1) == c && scan_peek(s, 2) == c;
	const char end[] = {c, triple ? c : '\0', c, '\0'};

	skip(s, triple ? 3 : 1);
	while (scan_more(s) && !scan_at(s, end) && (triple || scan_peek(s, 0) != '\n'))
		skip(s, scan_peek(s, 0) == '\\' ? 2 : 1);
	skip(s, triple ? 3 : 1);
}

/* Whether a comment begins here. "#" does so only behind a blank ("$#x", "s#a#b#"), "=" only before
 * a word (Perl's "=head1"). */
static bool begins_comment(const struct script_scan *s, const char *begin)
{
	size_t n = strlen(begin);
	char last = n ? begin[n - 1] : '\0';

	if (!scan_at(s, begin))
		return false;
	if (last == '=')
		return isalpha((unsigned char)scan_peek(s, n));
	return last != '#' || !s->at || strchr(" \t\n;{}", s->text[s->at - 1]);
}

static bool skip_comment(struct script_scan *s)
{
	const struct dialect *d = s->dialect;

	for (size_t i = 0; i < ARRAY_LEN(d->comments) && d->comments[i].begin; i++) {
		const char *end = d->comments[i].end;
		if (!begins_comment(s, d->comments[i].begin))
			continue;
		skip(s, strlen(d->comments[i].begin));
		while (scan_more(s) && !(end && scan_at(s, end)))
			scan_advance(s);
		/* A newline that ends one may begin the next. */
		if (end && !streq(end, "\n"))
			skip(s, strlen(end));
		return true;
	}
	return false;
}

/* A function ends where a line stands no further in than its head. */
static void leave_function(struct script_scan *s)
{
	if (s->lazy && s->at - s->line_start <= s->lazy_indent)
		s->lazy = false;
}

static const struct call *find_call(const struct dialect *d, const char *word, size_t n)
{
	for (const struct call *c = d->calls; c->name; c++) {
		size_t len = strlen(c->name);
		if (len > n || memcmp(word + n - len, c->name, len) != 0)
			continue;
		if (len == n || strchr(d->joiners, word[n - len - 1]))
			return c;
	}
	return NULL;
}

static void read_word(struct script_scan *s, size_t n)
{
	const struct call *c = find_call(s->dialect, s->text + s->at, n);
	char sign = s->at ? s->text[s->at - 1] : '\0';

	s->word = s->at;
	if (s->dialect->indents && !scan_before(s))
		leave_function(s);
	s->at += n;
	if (c && (!sign || !strchr("$@&", sign)))
		c->read(s);
}

static void step(struct script_scan *s)
{
	size_t n = scan_word(s, s->dialect->joiners);

	if (s->dialect->braces && scan_at(s, "\n}"))
		s->lazy = false;
	if (n)
		read_word(s, n);
	else if (skip_comment(s))
		return;
	else if (s->dialect->strings && scan_at_any(s, "'\""))
		skip_quoted(s);
	else if (s->dialect->backquotes && scan_at_any(s, "`"))
		read_backquotes(s);
	else
		scan_advance(s);
}

static void read_signs(struct script_scan *s)
{
	const char *const(*sign)[2] = s->dialect->signs;

	for (; sign && (*sign)[0]; sign++)
		if (memmem(s->text, s->len, (*sign)[0], strlen((*sign)[0])))
			scan_add(s, (*sign)[1], strlen((*sign)[1]));
}

void script_words_calls(enum script_language language, const char *text, size_t len,
			struct script_words *ret)
{
	struct script_scan s = {
	    .dialect = dialects[language], .text = text, .len = len, .line = 1, .ret = ret};

	if (!s.dialect)
		return;
	while (scan_more(&s))
		step(&s);
	s.line = 1;
	s.lazy = true;
	read_signs(&s);
}
