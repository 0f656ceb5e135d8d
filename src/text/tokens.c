/* SPDX-License-Identifier: MIT */
#include "text/tokens.h"

#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "text/token-lex.h"

#define KEY_MAX 128

/* One reading of one text. */
struct reading {
	struct lexer lexer;
	struct tokens *ret;
	size_t max;
	char key[KEY_MAX];  /* of the statement at hand */
	char last[KEY_MAX]; /* of the one before: a list may go on without it */
	char tag[KEY_MAX];  /* of the XML element, or "" */
	size_t n;	    /* words in the statement so far */
	bool assigned;	    /* its key stood before "=" or ":" */
	bool value;	    /* a value is next: the first word behind the key */
	bool path_value;    /* it can only be an absolute path */
	bool in_tag;	    /* an XML element's name is next */
	struct piece first; /* word of the statement: perhaps all of it */
};

void tokens_done(struct tokens *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].text);
		free(t->v[i].key);
	}
	free(t->v);
	*t = (struct tokens)TOKENS_INIT;
}

static void add(struct reading *r, enum token_kind kind, const char *text, size_t n,
		const struct piece *p)
{
	struct tokens *t = r->ret;

	if (t->n >= r->max || !n || p->cut)
		return;
	if ((t->n & (t->n - 1)) == 0) /* room doubles at each power of two */
		t->v = xrealloc(t->v, t->n ? 2 * t->n : 1, sizeof(*t->v));
	t->v[t->n++] = (struct token){.kind = kind,
				      .text = xstrndup(text, n),
				      .key = xstrdup(r->key),
				      .line = p->line,
				      .glob = p->glob};
}

/* --- What one word could be --- */

/* Bytes of file names that configuration files do not use for anything else. */
static bool is_plain(const char *s, size_t n)
{
	bool some = false;

	for (size_t i = 0; i < n; i++) {
		bool letter = isalnum((unsigned char)s[i]);
		if (!letter && !strchr("_.+-@", s[i]))
			return false;
		some |= letter;
	}
	return some;
}

/* "10", "1.5", "10m", "10.0.0.1/8", "::1": digits and marks, perhaps a unit. */
static bool is_number(const char *s, size_t n)
{
	size_t i = 0, digits = 0;

	for (; i < n && strchr("0123456789.:/+-", s[i]); i++)
		digits += isdigit((unsigned char)s[i]) != 0;
	return i == n ? digits > 0 || n < 2 : digits > 0 && n - i <= 2;
}

static bool has_extension(const char *s, size_t n)
{
	const char *dot = memrchr(s, '.', n);
	size_t end = dot ? n - (size_t)(dot + 1 - s) : 0;

	if (!dot || dot == s || end < 1 || end > 8)
		return false;
	for (const char *c = dot + 1; c < s + n; c++)
		if (!isalnum((unsigned char)*c) && *c != '*')
			return false;
	return true;
}

/* Marks of the languages of patterns: a path that holds them is none. */
static bool is_pattern(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strchr("\\^()|<>\"'`", s[i]) || iscntrl((unsigned char)s[i]))
			return true;
	return false;
}

static void add_path(struct reading *r, const char *s, size_t n, const struct piece *p)
{
	/* Before the parts of a list ("/a:/b", "/run/x:rw") stands the whole. */
	while (n > 1 && strchr(".,:;'\"", s[n - 1]))
		n--;
	/* All of the root is what nobody means. */
	if (n < 2 || strchr("*?", s[1]) || is_pattern(s, n) || is_number(s, n))
		return;
	add(r, TOKEN_PATH, s, n, p);
	for (size_t i = 0; i < n && memchr(s, ':', n);) {
		const char *colon = memchr(s + i, ':', n - i);
		size_t part = colon ? (size_t)(colon - s) - i : n - i;
		if (s[i] == '/' && part > 1)
			add(r, TOKEN_PATH, s + i, part, p);
		i += part + 1;
	}
}

/* Where an absolute path begins in a word: "/x", "$VAR/x", "hash:/x", "-/x", "-I/x", "file:///x".
 * @n where none does. */
static size_t path_start(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool variable =
		    s[i] == '$' && i + 1 < n && s[i + 1] != '/' && memchr(s + i, '/', n - i);
		if (s[i] != '/' && !variable)
			continue;
		bool scheme = i && i + 1 < n && s[i - 1] == ':' && s[i + 1] == '/';
		if (scheme)
			return i + 2 < n && s[i + 2] == '/' ? i + 2 : n;
		bool option = i == 2 && s[0] == '-';
		if (i == 0 || option || strchr(":=@!-+~<>'\"|", s[i - 1]))
			return i;
	}
	return n;
}

/* "ModPerl::Registry": one word, and not several. */
static bool is_module_name(const char *s, size_t n)
{
	bool qualified = false;

	for (size_t i = 0; i < n; i++) {
		bool twice = s[i] == ':' && i && i + 2 < n && s[i + 1] == ':' && s[i + 2] != ':';
		if (!twice && !isalnum((unsigned char)s[i]) && s[i] != '_')
			return false;
		qualified |= twice;
		i += twice;
	}
	return qualified;
}

/* "name:group", or one word. */
static void add_words(struct reading *r, const char *s, size_t n, const struct piece *p)
{
	while (n) {
		const char *colon = memchr(s, ':', n);
		size_t part = colon ? (size_t)(colon - s) : n;
		bool option = s[0] == '-' || s[0] == '+';
		if (is_plain(s, part) && !option && !is_number(s, part))
			add(r, TOKEN_WORD, s, part, p);
		s += colon ? part + 1 : part;
		n -= colon ? part + 1 : part;
	}
}

/* One part of a word, without blanks. @path_only: it stands in a text with blanks. */
static void classify(struct reading *r, const char *s, size_t n, const struct piece *p,
		     bool path_only)
{
	size_t at = path_start(s, n);
	bool url = memmem(s, n, "://", 3);

	if (at < n) {
		add_path(r, s + at, n - at, p);
	} else if (url || is_number(s, n) || is_pattern(s, n)) {
		return;
	} else if (memchr(s, '/', n) || has_extension(s, n)) {
		add(r, TOKEN_RELATIVE, s, n, p);
	} else if (!path_only) {
		/* "$NAME" may be anything. */
		if ((s[0] == '$' && n > 1) || is_module_name(s, n))
			add(r, TOKEN_WORD, s, n, p);
		else
			add_words(r, s[0] == '@' ? s + 1 : s, s[0] == '@' ? n - 1 : n, p);
	}
}

static void take_value(struct reading *r, const struct piece *p)
{
	static const char separators[] = " \t\n,|;";
	bool parts = strpbrk(p->text, separators);

	/* A path with blanks in it is quoted. */
	if (parts && p->text[0] == '/')
		add_path(r, p->text, p->n, p);
	for (const char *s = p->text; *s;) {
		size_t n = strcspn(s, separators);
		if (n)
			classify(r, s, n, p, parts);
		s += n + (s[n] != '\0');
	}
}

/* --- Commands --- */

static bool is_answer(const char *s, size_t n)
{
	static const char *const answers[] = {"yes",   "no",	 "on",	     "off",	"true",
					      "false", "none",	 "null",     "auto",	"default",
					      "never", "always", "optional", "required"};

	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		if (strlen(answers[i]) == n && strncasecmp(answers[i], s, n) == 0)
			return true;
	return false;
}

/* Lines that were continued are one. */
static void join_lines(char *s)
{
	for (char *newline = s; (newline = strchr(newline, '\n'));) {
		if (newline > s && newline[-1] == '\\')
			newline[-1] = ' ';
		*newline = ' ';
	}
}

/* Adds @s as a command, if it can be one: a path or a plain word is first in it. Prefixes of
 * systemd's Exec lines and of pipes are taken off. */
static void add_command(struct reading *r, const char *s, size_t n, const struct piece *p)
{
	while (n && strchr("-@:+!| \t", s[0])) {
		s++;
		n--;
	}
	while (n && strchr(" \t\r\n;{", s[n - 1]))
		n--;
	size_t word = 0;
	while (word < n && !isspace((unsigned char)s[word]))
		word++;
	bool path = word > 1 && strchr("/.$\"'", s[0]) && memchr(s, '/', word);
	bool plain = word && isalpha((unsigned char)s[0]) && is_plain(s, word);
	if (!(path || plain) || is_answer(s, word) || n >= PIECE_MAX)
		return;
	CLEANUP_STR char *line = xstrndup(s, n);
	if (str_after(line, "/dev/"))
		return;
	join_lines(line);
	add(r, TOKEN_COMMAND, line, n, p);
}

/* The value that begins @skip bytes into @p, whole: a quoted word, or all up to its end. */
static void take_command(struct reading *r, const struct piece *p, size_t skip)
{
	size_t start = p->start + skip, end = lexer_value_end(&r->lexer, start, r->assigned);

	if (p->quoted || strchr(p->text, ' '))
		add_command(r, p->text + skip, p->n - skip, p);
	else if (end > start)
		add_command(r, r->lexer.text + start, end - start, p);
}

/* "|/x", "exec:/x": what the word holds is run. Returns where that begins in it, or 0. */
static size_t piped(const struct piece *p)
{
	static const char *const schemes[] = {"exec:", "prg:", "pipe:"};
	size_t n = p->text[0] == '|' ? strspn(p->text, "|$ -") : 0;

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (str_after(p->text, schemes[i]))
			n = strlen(schemes[i]);
	char c = p->text[n];
	return c == '/' || (p->quoted && isalpha((unsigned char)c)) ? n : 0;
}

/* A word that tells of a command behind it, in the middle of a statement: "external-check command
 * /x", "auth_param basic program /x". */
static bool tells_command(const struct reading *r, const struct piece *p)
{
	return !r->assigned && r->n > 1 && !p->quoted && is_plain(p->text, p->n) &&
	       token_key_runs(p->text);
}

/* --- Statements --- */

static void set_key(char *key, const struct piece *p)
{
	size_t n = p->n < KEY_MAX ? p->n : KEY_MAX - 1;

	for (size_t i = 0; i < n; i++)
		key[i] = (char)tolower((unsigned char)p->text[i]);
	key[n] = '\0';
}

static bool is_key(const struct piece *p)
{
	const char *s = p->text;

	return p->n && !p->quoted && (isalpha((unsigned char)s[0]) || strchr("_$@!.", s[0])) &&
	       !strchr(s, '/') && !(s[0] == '$' && s[1] == '{');
}

static void end_statement(struct reading *r)
{
	/* One word alone: of a list. */
	if (r->n == 1 && !r->assigned && r->first.n) {
		char key[KEY_MAX];
		memcpy(key, r->key, sizeof(key));
		memcpy(r->key, r->last, sizeof(key));
		take_value(r, &r->first);
		memcpy(r->key, key, sizeof(key));
	} else if (r->key[0]) {
		memcpy(r->last, r->key, sizeof(r->last));
	}
	r->key[0] = r->tag[0] = '\0';
	r->n = 0;
	r->assigned = r->value = false;
	r->first.n = 0;
}

/* The first word: the key, unless it cannot be one; then that of the statement before goes on. */
static bool take_first(struct reading *r, const struct piece *p)
{
	if (!is_key(p)) {
		memcpy(r->key, r->last, sizeof(r->key));
		return false;
	}
	set_key(r->key, p);
	if (r->in_tag)
		memcpy(r->tag, r->key, sizeof(r->tag));
	r->first = *p;
	r->value = true;
	r->path_value = false;
	return true;
}

static void take_word(struct reading *r, const struct piece *p)
{
	bool first = r->n++ == 0;

	if (first && !r->assigned && take_first(r, p))
		return;
	bool fits = r->assigned || p->text[0] == '/' || (p->quoted && !r->path_value);
	bool pipe = piped(p) && !str_after(r->key, "condition"); /* systemd's "|" is an or */
	if (pipe || (r->value && fits && token_key_runs(r->key)))
		take_command(r, p, piped(p));
	take_value(r, p);
	r->value = r->path_value = tells_command(r, p);
	if (r->value)
		set_key(r->key, p);
}

/* A word before "=" or ":" is the key of what follows. */
static void take_key(struct reading *r, const struct piece *p)
{
	set_key(r->key, p);
	r->n++;
	r->assigned = r->value = true;
	r->path_value = false;
}

static void take_mark(struct reading *r, const struct piece *p)
{
	switch (p->kind) {
	case PIECE_LINE:
	case PIECE_STOP:
	case PIECE_TAG:
	case PIECE_CLOSE:
		end_statement(r);
		r->in_tag = p->kind == PIECE_TAG;
		break;
	case PIECE_FULL:
		r->in_tag = false;
		if (r->tag[0])
			memcpy(r->key, r->tag, sizeof(r->key));
		r->assigned = true;
		break;
	default:
		break;
	}
}

void tokens_read(const char *text, size_t len, size_t max, struct tokens *ret)
{
	struct reading r = {
	    .lexer = {.text = text, .len = len, .line = 1, .line_start = true},
	    .ret = ret,
	    .max = ret->n + max,
	};
	struct piece pieces[2], *now = &pieces[0], *next = &pieces[1];
	bool closing = false;

	lexer_next(&r.lexer, now);
	while (now->kind != PIECE_END && ret->n < r.max) {
		lexer_next(&r.lexer, next);
		if (now->kind != PIECE_WORD)
			take_mark(&r, now);
		else if (!closing && next->kind == PIECE_IS)
			take_key(&r, now);
		else if (!closing)
			take_word(&r, now);
		closing = now->kind == PIECE_CLOSE;
		struct piece *free_piece = now;
		now = next;
		next = free_piece;
	}
	end_statement(&r);
}
