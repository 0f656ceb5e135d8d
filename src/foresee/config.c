/* SPDX-License-Identifier: MIT */
/* Configuration as evidence: every word that could be a path or a command, looked up on the host.
 * No format is understood; what does not exist was no path. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/path.h"
#include "foresee/interpreters.h"
#include "foresee/parts.h"
#include "fs/beneath.h"
#include "host/host.h"
#include "host/places.h"

#define CONFIG_MAX  (1u << 20) /* bytes of one file */
#define TOKENS_MAX  20000      /* of one file */
#define MATCHES_MAX 4096       /* of one glob */

/* A file "map" may be read as "map.db": what the libraries of maps put behind a name. */
static const char *const suffixes[] = {"", ".db", ".lmdb", ".cdb", ".dir", ".pag"};

/* One file's tokens and what they mean to each other. */
struct scan {
	char *path;
	struct tokens tokens;
	struct strv prefixes; /* directories that relative paths may start from */
};

static bool is_text(const char *data, size_t len)
{
	return memchr(data, '\0', len) == NULL;
}

/* ${NAME} at the start of a path, from the environment or from an assignment in a file that was
 * read ("export NAME=value"). New string or NULL. */
static char *variable(const struct foresee *f, const char *name, size_t n)
{
	CLEANUP_STR char *whole = xstrndup(name, n);
	const char *value = env_get(f->in->environment, whole);

	if (value)
		return xstrdup(value);
	for (size_t i = 0; i < f->n_scans; i++)
		for (size_t k = 0; k < f->scans[i].tokens.n; k++) {
			const struct token *t = &f->scans[i].tokens.v[k];
			if (strcasecmp(t->key, whole) == 0 && t->text[0] == '/')
				return xstrndup(t->text, strcspn(t->text, "$"));
		}
	return NULL;
}

/* @text with its leading variable put in, new; a copy where it has none; NULL where it is unknown.
 */
static char *expanded(const struct foresee *f, const char *text)
{
	const char *name = text[0] == '$' ? text + 1 + (text[1] == '{') : NULL;
	size_t n =
	    name ? strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789")
		 : 0;

	if (!n)
		return xstrdup(text);
	CLEANUP_STR char *value = variable(f, name, n);
	return value ? xasprintf("%s%s", value, name + n + (text[1] == '{')) : NULL;
}

static bool is_prefix(const struct foresee *f, const char *path)
{
	CLEANUP_STR char *end = NULL;
	struct stat st;

	return host_resolve(f->in->host, path, &end, &st, NULL) == 0 && S_ISDIR(st.st_mode) &&
	       (!place_never_whole(end) || place_program_tree(end)) && !place_kernel_tree(end);
}

static void find_prefixes(const struct foresee *f, struct scan *s)
{
	strv_take(&s->prefixes, path_parent(s->path));
	if (is_prefix(f, f->in->cwd))
		strv_add(&s->prefixes, f->in->cwd);
	for (size_t i = 0; i < s->tokens.n; i++) {
		const struct token *t = &s->tokens.v[i];
		if (t->kind != TOKEN_PATH || !token_key_prefix(t->key) ||
		    strv_has(&s->prefixes, t->text))
			continue;
		CLEANUP_STR char *path = expanded(f, t->text);
		if (path && path[0] == '/' && is_prefix(f, path))
			strv_add(&s->prefixes, path);
	}
}

static void add_words(struct foresee *f, const struct tokens *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].kind == TOKEN_WORD || t->v[i].kind == TOKEN_RELATIVE)
			strv_add(&f->words, t->v[i].text);
}

void config_words(struct foresee *f, const char *text, size_t len)
{
	struct tokens t CLEANUP_TOKENS = TOKENS_INIT;

	tokens_read(text, len, TOKENS_MAX, &t);
	add_words(f, &t);
}

/* Configuration of others, in a directory that many share: openssl.cnf speaks of itself. */
static bool is_anothers(const struct foresee *f, const char *path)
{
	return place_common_table(path) || (place_shared_config(path) && !named_is_own(f, path));
}

/* What the jailed service may write would let it choose what its next jail has. */
static bool is_its_own_to_write(const struct foresee *f, const char *path)
{
	struct stat st;

	if (beneath_lstat(f->in->host, path, &st) < 0)
		return true;
	bool open_to_it = st.st_mode & S_IWOTH || foresee_may_write(f->in, &st);
	for (size_t i = 0; open_to_it && i < f->in->writable->n; i++)
		if (path_within(path, f->in->writable->v[i]))
			return true;
	return false;
}

void config_read(struct foresee *f, const char *path)
{
	CLEANUP_STR char *text = NULL;
	size_t len = 0;

	if (strv_has(&f->scanned, path) || is_anothers(f, path) || is_its_own_to_write(f, path) ||
	    host_read(f->in->host, path, CONFIG_MAX, &text, &len) < 0 || !is_text(text, len))
		return;
	strv_add(&f->scanned, path);
	f->scans = xrealloc(f->scans, f->n_scans + 1, sizeof(*f->scans));
	struct scan *s = &f->scans[f->n_scans++];
	*s = (struct scan){.path = xstrdup(path)};
	tokens_read(text, len, TOKENS_MAX, &s->tokens);
	add_words(f, &s->tokens);
}

/* One token in its file, with the reason that it gives. */
struct saying {
	struct foresee *f;
	const struct scan *scan;
	const struct token *token;
	const char *text;
};

static void take_pattern(const struct saying *s, const char *pattern)
{
	struct strv paths CLEANUP_STRV = STRV_INIT;

	host_glob(s->f->in->host, pattern, MATCHES_MAX, &paths);
	for (size_t i = 0; i < paths.n; i++)
		named_take(s->f, paths.v[i], REASON_NAMED, s->scan->path, s->text);
}

static void take_path(const struct saying *s, const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		CLEANUP_STR char *name = xasprintf("%s%s", path, suffixes[i]);
		named_take(s->f, name, REASON_NAMED, s->scan->path, s->text);
	}
}

static void say_path(const struct saying *s)
{
	CLEANUP_STR char *path = expanded(s->f, s->token->text);

	if (!path || path[0] != '/')
		return;
	if (s->token->glob)
		take_pattern(s, path);
	else
		take_path(s, path);
}

static void say_relative(const struct saying *s)
{
	for (size_t i = 0; i < s->scan->prefixes.n; i++) {
		CLEANUP_STR char *path = path_join(s->scan->prefixes.v[i], s->token->text);
		if (s->token->glob)
			take_pattern(s, path);
		else
			take_path(s, path);
	}
}

/* A plain word is a file's name only where a program of the service would look for it. */
static void say_word(const struct saying *s)
{
	struct foresee *f = s->f;

	if (token_key_account(s->token->key)) {
		accounts_need_user(&f->out->accounts, s->token->text, "%s", s->text);
		accounts_need_group(&f->out->accounts, s->token->text, "%s", s->text);
	}
	for (size_t i = 0; i < f->helpers.n; i++) {
		CLEANUP_STR char *path = path_join(f->helpers.v[i], s->token->text);
		evidence_take(f->ev, path, REASON_NAMED, s->scan->path, "%s", s->text);
	}
	for (size_t i = 1; i < s->scan->prefixes.n; i++) {
		const char *prefix = s->scan->prefixes.v[i];
		CLEANUP_STR char *path = path_join(prefix, s->token->text);
		/* Any word may be the name of some program in /usr/bin. */
		if (!place_never_whole(prefix))
			named_take(f, path, REASON_NAMED, s->scan->path, s->text);
	}
}

/* A command line needs the shell that runs it, if it is one: of "cmd = ir" nothing exists. */
static void say_command(const struct saying *s)
{
	struct evidence *ev = s->f->ev;
	const struct interpreter *sh = interpreter_of("/bin/sh");
	const struct node *last = ev->last;

	interpreter_take_words(ev, sh, s->scan->path, s->token->text, strlen(s->token->text),
			       s->f->search, s->f->in->environment);
	if (ev->last != last)
		evidence_take(ev, "/bin/sh", REASON_RUN, s->scan->path, "%s, as a command",
			      s->text);
}

static void (*const sayings[])(const struct saying *s) = {
    [TOKEN_PATH] = say_path,
    [TOKEN_RELATIVE] = say_relative,
    [TOKEN_WORD] = say_word,
    [TOKEN_COMMAND] = say_command,
};

static void take_scan(struct foresee *f, size_t i)
{
	/* Files that are read meanwhile move the array; a scan's own lists stay where they are. */
	struct scan scan = f->scans[i];

	for (size_t k = 0; k < scan.tokens.n; k++) {
		const struct token *t = &scan.tokens.v[k];
		CLEANUP_STR char *text = xasprintf("named in %s:%u", scan.path, t->line);
		const struct saying s = {f, &scan, t, text};
		sayings[t->kind](&s);
	}
}

void config_take(struct foresee *f)
{
	for (; f->n_taken < f->n_scans; f->n_taken++) {
		find_prefixes(f, &f->scans[f->n_taken]);
		take_scan(f, f->n_taken);
	}
}

/* Said of every service by whoever starts it. */
static bool says_nothing(const char *assignment)
{
	static const char *const keys[] = {"HOME=", "LOGNAME=", "PATH=", "SHELL=", "USER="};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (str_after(assignment, keys[i]))
			return true;
	return false;
}

void config_arguments(struct foresee *f)
{
	const struct strv *lists[] = {f->in->arguments, f->in->environment};
	static const char *const texts[] = {"named on the command line",
					    "named in the environment"};

	for (size_t l = 0; l < ARRAY_LEN(lists); l++)
		for (size_t i = 0; i < lists[l]->n; i++) {
			const char *word = lists[l]->v[i], *path = strchr(word, '/');
			bool lone = path == word || (path && path[-1] == '=');
			if (lone && !strchr(path, ':') && !says_nothing(word))
				named_take(f, path, REASON_NAMED, f->program, texts[l]);
		}
}

void config_done(struct foresee *f)
{
	for (size_t i = 0; i < f->n_scans; i++) {
		free(f->scans[i].path);
		tokens_done(&f->scans[i].tokens);
		strv_done(&f->scans[i].prefixes);
	}
	free(f->scans);
}
