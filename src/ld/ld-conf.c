/* SPDX-License-Identifier: MIT */
#include "ld/ld-conf.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/path.h"
#include "host/host.h"

#define FILE_MAX  (1u << 20)
#define DEPTH_MAX 8
#define FILES_MAX 256

void ld_conf_done(struct ld_conf *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->v[i].text);
	free(c->v);
	*c = (struct ld_conf)LD_CONF_INIT;
}

static void add(struct ld_conf *c, bool include, char *text)
{
	if ((c->n & (c->n - 1)) == 0)
		c->v = xrealloc(c->v, 2 * c->n + 1, sizeof(*c->v));
	c->v[c->n++] = (struct ld_conf_line){include, text};
}

static void add_patterns(struct ld_conf *c, const char *words)
{
	for (words += strspn(words, " \t"); *words; words += strspn(words, " \t")) {
		size_t n = strcspn(words, " \t");
		add(c, true, xstrndup(words, n));
		words += n;
	}
}

static void add_directory(struct ld_conf *c, const char *line)
{
	size_t n = strcspn(line, "=");

	while (n && (line[n - 1] == '/' || isspace((unsigned char)line[n - 1])))
		n--;
	if (line[0] == '/' && n)
		add(c, false, xstrndup(line, n));
}

/* Whether @line starts with the directive @word and a blank. */
static bool is_directive(const char *line, const char *word)
{
	size_t n = strlen(word);
	return strncasecmp(line, word, n) == 0 && (line[n] == ' ' || line[n] == '\t');
}

static void parse_line(struct ld_conf *c, char *line)
{
	line[strcspn(line, "#")] = '\0';
	while (isspace((unsigned char)*line))
		line++;
	if (is_directive(line, "include"))
		add_patterns(c, line + strlen("include"));
	else if (!is_directive(line, "hwcap"))
		add_directory(c, line);
}

void ld_conf_parse(const char *text, size_t len, struct ld_conf *ret)
{
	for (size_t at = 0; at < len;) {
		const char *newline = memchr(text + at, '\n', len - at);
		size_t n = newline ? (size_t)(newline - text) - at : len - at;
		CLEANUP_STR char *line = xstrndup(text + at, n);
		parse_line(ret, line);
		at += n + 1;
	}
}

struct reading {
	int root;
	unsigned depth, n_files;
	struct strv *dirs, *files;
};

static void read_file(struct reading *r, const char *path);

static void read_includes(struct reading *r, const char *path, const char *pattern)
{
	struct strv paths CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *dir = path_parent(path);
	CLEANUP_STR char *full = pattern[0] == '/' ? xstrdup(pattern) : path_join(dir, pattern);

	host_glob(r->root, full, FILES_MAX, &paths);
	for (size_t i = 0; i < paths.n; i++)
		read_file(r, paths.v[i]);
}

static void take_lines(struct reading *r, const char *path, const struct ld_conf *c)
{
	r->depth++;
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].include)
			read_includes(r, path, c->v[i].text);
		else if (!strv_has(r->dirs, c->v[i].text))
			strv_add(r->dirs, c->v[i].text);
	r->depth--;
}

static void read_file(struct reading *r, const char *path)
{
	struct ld_conf c CLEANUP_LD_CONF = LD_CONF_INIT;
	CLEANUP_STR char *text = NULL;
	size_t len;

	if (r->depth > DEPTH_MAX || r->n_files >= FILES_MAX ||
	    host_read_path(r->root, path, FILE_MAX, &text, &len) < 0)
		return;
	r->n_files++;
	if (r->files)
		strv_add(r->files, path);
	ld_conf_parse(text, len, &c);
	take_lines(r, path, &c);
}

int ld_conf_read(int root, const char *path, struct strv *dirs, struct strv *files)
{
	struct reading r = {.root = root, .dirs = dirs, .files = files};

	if (path[0] != '/')
		return -EINVAL;
	read_file(&r, path);
	return 0;
}
