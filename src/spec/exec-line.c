/* SPDX-License-Identifier: MIT */
/* Command lines of Exec directives, as systemd.service(5), "COMMAND LINES" has them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "spec/spec.h"
#include "spec/words.h"

#define EXEC_FLAGS (WORDS_UNESCAPE | WORDS_RELAXED)

/* Takes the prefixes off @word. Returns what follows them. */
static char *take_prefixes(char *word, struct exec_line *l, bool *ret_argv0)
{
	bool double_bang = false;

	for (;; word++) {
		if (*word == '-' && !l->ignore_failure)
			l->ignore_failure = true;
		else if (*word == '@' && !*ret_argv0)
			*ret_argv0 = true;
		else if (*word == ':' && !l->no_env)
			l->no_env = true;
		else if (*word == '+' && !l->privileged && !l->no_user)
			l->privileged = true;
		else if (*word == '!' && !l->privileged && !l->no_user)
			l->no_user = true;
		else if (*word == '!' && l->no_user && !double_bang)
			double_bang = true;
		else
			return word;
	}
}

/* Whether ";" (after @skip bytes) stands at @text as a word of its own. */
static bool lone_semicolon(const char *text, size_t skip)
{
	return text[skip] == ';' && (!text[skip + 1] || strchr(" \t", text[skip + 1]));
}

static bool program_ok(const char *path)
{
	size_t len = strlen(path);

	if (!len || path[len - 1] == '/' || streq(path, ".") || streq(path, ".."))
		return false;
	return path[0] == '/' || !strchr(path, '/');
}

/* The first word: prefixes, the program, with "@" the zeroth argument. */
static int parse_program(const char **text, struct exec_line *l, struct err *e)
{
	CLEANUP_STR char *word = NULL;
	bool wants_argv0 = false;
	int r = lone_semicolon(*text, 0) ? 0 : words_next(text, EXEC_FLAGS, &word, NULL, e);

	if (r < 0)
		return r;
	const char *path = r ? take_prefixes(word, l, &wants_argv0) : "";
	if (!program_ok(path))
		return err_set(e, -EINVAL,
			       "'%s' is no program: give an absolute path or a plain name", path);
	strv_add(&l->argv, path);
	if (!wants_argv0)
		return 0;
	r = words_next(text, EXEC_FLAGS, &l->argv0, NULL, e);
	if (r == 0)
		r = err_set(e, -EINVAL, "\"@\" wants a zeroth argument after the program");
	return r < 0 ? r : 0;
}

/* One command, up to ";" or the end. Returns 1 where another may follow. */
static int parse_command(const char **text, struct exec_line *l, struct err *e)
{
	int r = parse_program(text, l, e);

	while (r >= 0) {
		char *word;
		if (lone_semicolon(*text, 0)) {
			*text += 1 + strspn(*text + 1, " \t");
			return 1;
		}
		if (**text == '\\' && lone_semicolon(*text, 1)) {
			strv_add(&l->argv, ";");
			*text += 2 + strspn(*text + 2, " \t");
			continue;
		}
		r = words_next(text, EXEC_FLAGS, &word, NULL, e);
		if (r == 0)
			return 0;
		if (r > 0)
			strv_take(&l->argv, word);
	}
	return r;
}

int exec_list_parse(const char *text, struct exec_list *ret, struct err *e)
{
	struct exec_list list = {0};
	int r = 1;

	while (r > 0 && (list.n == 0 || *text)) {
		list.v = xrealloc(list.v, list.n + 1, sizeof(*list.v));
		list.v[list.n] = (struct exec_line){0};
		r = parse_command(&text, &list.v[list.n++], e);
	}
	if (r < 0) {
		exec_list_done(&list);
		return r;
	}
	ret->v = xrealloc(ret->v, ret->n + list.n, sizeof(*ret->v));
	memcpy(ret->v + ret->n, list.v, list.n * sizeof(*ret->v));
	ret->n += list.n;
	free(list.v);
	return 0;
}

int exec_line_parse(const char *text, struct exec_line *ret, struct err *e)
{
	struct exec_list list = {0};
	int r = exec_list_parse(text, &list, e);

	if (r == 0 && list.n != 1)
		r = err_set(e, -EINVAL, "several commands where one is wanted");
	if (r == 0) {
		*ret = list.v[0];
		list.n = 0;
	}
	exec_list_done(&list);
	return r;
}

void exec_line_done(struct exec_line *l)
{
	strv_done(&l->argv);
	free(l->argv0);
	*l = (struct exec_line){0};
}

void exec_list_done(struct exec_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		exec_line_done(&list->v[i]);
	free(list->v);
	*list = (struct exec_list){0};
}

static const char *lookup(char *const *env, const char *name, size_t len)
{
	for (; env && *env; env++)
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
			return *env + len + 1;
	return "";
}

/* @word with each ${VAR} replaced and each $$ halved, new. */
static char *expand_word(const char *word, char *const *env)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return xstrdup(word);
	while (*word) {
		const char *close = word[0] == '$' && word[1] == '{' ? strchr(word, '}') : NULL;
		if (close) {
			fputs(lookup(env, word + 2, (size_t)(close - word - 2)), f);
			word = close + 1;
		} else {
			fputc(*word, f);
			word += word[0] == '$' && word[1] == '$' ? 2 : 1;
		}
	}
	if (fclose(f) != 0)
		abort(); /* out of memory */
	return text;
}

void exec_line_expand(const struct exec_line *l, char *const *env, struct strv *ret)
{
	if (l->argv0 && !l->no_env)
		strv_take(ret, expand_word(l->argv0, env));
	else
		strv_add(ret, l->argv0 ? l->argv0 : l->argv.v[0]);
	for (size_t i = 1; i < l->argv.n; i++) {
		const char *word = l->argv.v[i];
		if (l->no_env)
			strv_add(ret, word);
		else if (word[0] == '$' && word[1] && word[1] != '{' && word[1] != '$')
			words_split(lookup(env, word + 1, strlen(word + 1)), WORDS_OPEN, ret, NULL);
		else
			strv_take(ret, expand_word(word, env));
	}
}

char *exec_line_quote(char *const *argv)
{
	char *line = xstrdup("");

	for (size_t i = 0; argv[i]; i++) {
		/* The program's path is not subject to variables. */
		CLEANUP_STR char *escaped = words_double(argv[i], i ? "$%" : "%");
		CLEANUP_STR char *word = words_quote(escaped);
		char *longer = xasprintf("%s%s%s", line, i ? " " : "", word);
		free(line);
		line = longer;
	}
	return line;
}
