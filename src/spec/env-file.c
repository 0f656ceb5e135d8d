/* SPDX-License-Identifier: MIT */
#include "spec/env-file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fd.h"

#define ENV_FILE_MAX (1u << 20)
#define ENV_MAX	     4096 /* variables */

static size_t name_length(const char *s)
{
	size_t n = 0;

	while (isalpha((unsigned char)s[n]) || s[n] == '_' || (n && isdigit((unsigned char)s[n])))
		n++;
	return n;
}

bool env_assignment_ok(const char *s)
{
	size_t n = name_length(s);
	return n && s[n] == '=';
}

/* Where the text is read, and the value that grows from it. */
struct scan {
	const char *at, *end;
	char *value;
	size_t n;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Passes over the rest of the line; in a comment a backslash joins the next one. */
static void skip_line(struct scan *s, bool comment)
{
	while (s->at < s->end && *s->at != '\n') {
		if (comment && *s->at == '\\' && s->at + 1 < s->end)
			s->at++;
		s->at++;
	}
	if (s->at < s->end)
		s->at++;
}

static void take_single_quoted(struct scan *s)
{
	while (s->at < s->end && *s->at != '\'')
		s->value[s->n++] = *s->at++;
	s->at++;
}

/* A backslash keeps its meaning of a shell's double quotes: it escapes "\`$ and joins lines. */
static void take_double_quoted(struct scan *s)
{
	while (s->at < s->end && *s->at != '"') {
		if (*s->at == '\\' && s->at + 1 < s->end) {
			s->at++;
			if (!strchr("\"\\`$\n", *s->at))
				s->value[s->n++] = '\\';
			if (*s->at == '\n') {
				s->at++;
				continue;
			}
		}
		s->value[s->n++] = *s->at++;
	}
	s->at++;
}

/* Outside quotes, to the end of the line. Blanks at the end go, unless escaped. */
static void take_plain(struct scan *s)
{
	size_t keep = s->n;

	while (s->at < s->end && *s->at != '\n') {
		bool escaped = *s->at == '\\';
		s->at += escaped;
		if (escaped && s->at >= s->end)
			break;
		if (!escaped || *s->at != '\n')
			s->value[s->n++] = *s->at;
		if (escaped || !is_blank(*s->at))
			keep = s->n;
		s->at++;
	}
	s->n = keep;
}

/* The value from behind "=" to the end of the line. Quotes count only while nothing but quoted text
 * came before. */
static void take_value(struct scan *s)
{
	s->n = 0;
	while (s->at < s->end && *s->at != '\n') {
		char c = *s->at;
		if (c == '\'' || c == '"')
			s->at++;
		if (c == '\'')
			take_single_quoted(s);
		else if (c == '"')
			take_double_quoted(s);
		else if (is_blank(c))
			s->at++;
		else
			take_plain(s);
	}
	if (s->at < s->end)
		s->at++;
	else
		s->at = s->end;
	s->value[s->n] = '\0';
}

static void take_line(struct scan *s, struct strv *env)
{
	const char *key = s->at, *equals = key;

	while (equals < s->end && *equals != '=' && *equals != '\n')
		equals++;
	if (equals == s->end || *equals == '\n' || *key == '#' || *key == ';') {
		skip_line(s, *key == '#' || *key == ';');
		return;
	}
	size_t len = (size_t)(equals - key);
	while (len && is_blank(key[len - 1]))
		len--;
	s->at = equals + 1;
	take_value(s);
	CLEANUP_STR char *assignment = xasprintf("%.*s=%s", (int)len, key, s->value);
	if (env_assignment_ok(assignment))
		env_put(env, assignment);
}

int env_file_parse(const char *text, size_t len, struct strv *env, struct err *e)
{
	CLEANUP_STR char *value = xcalloc(len + 1, 1);
	struct scan s = {.at = text, .end = text + len, .value = value};

	if (memchr(text, '\0', len))
		return err_set(e, -EINVAL, "a NUL byte in the text");
	while (s.at < s.end) {
		if (env->n >= ENV_MAX)
			return err_set(e, -E2BIG, "more than %d variables", ENV_MAX);
		if (is_blank(*s.at) || *s.at == '\n')
			s.at++;
		else
			take_line(&s, env);
	}
	return 0;
}

int env_file_read(const char *path, struct strv *env, struct err *e)
{
	CLEANUP_STR char *text = NULL;
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	size_t len;

	if (fd < 0)
		return err_errno(e, -errno, "environment file %s", path);
	int r = fd_read_all(fd, ENV_FILE_MAX, &text, &len);
	if (r < 0)
		return err_errno(e, r, "environment file %s", path);
	r = env_file_parse(text, len, env, e);
	return r < 0 ? err_prefix(e, "environment file %s", path) : 0;
}

static int read_pattern(const char *pattern, bool optional, struct strv *env, struct err *e)
{
	glob_t found = {0};
	int r = 0;

	if (glob(pattern, 0, NULL, &found) != 0) {
		globfree(&found);
		return optional ? 0
				: err_set(e, -ENOENT, "environment file %s: not there", pattern);
	}
	for (size_t i = 0; r == 0 && i < found.gl_pathc; i++)
		r = env_file_read(found.gl_pathv[i], env, e);
	globfree(&found);
	return r == -ENOENT && optional ? 0 : r;
}

int env_files_read(const struct strv *files, struct strv *env, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < files->n; i++) {
		const char *path = files->v[i];
		bool optional = path[0] == '-';
		r = read_pattern(path + optional, optional, env, e);
	}
	return r;
}
