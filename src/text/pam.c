/* SPDX-License-Identifier: MIT */
#include "text/pam.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/attr.h"

/* Bounds for what is no PAM file. */
#define LINES_MAX     4096
#define ARGUMENTS_MAX 128

#define BLANKS " \t\r\v\f"

static const char *const types[] = {"auth", "account", "password", "session"};

static void line_done(struct pam_line *l)
{
	free(l->service);
	free(l->type);
	free(l->control);
	free(l->module);
	strv_done(&l->arguments);
}
#define CLEANUP_PAM_LINE CLEANUP(line_done)

void pam_lines_done(struct pam_lines *p)
{
	for (size_t i = 0; i < p->n; i++)
		line_done(&p->v[i]);
	free(p->v);
	*p = (struct pam_lines)PAM_LINES_INIT;
}

/* One word at *s, new; NULL at the end. In brackets it may hold blanks, and "\]" stands for "]"
 * (libpam/pam_misc.c). @keep leaves the brackets on, as a control has them. */
static char *next_word(const char **s, bool keep)
{
	*s += strspn(*s, BLANKS);
	if (!**s)
		return NULL;
	if (**s != '[') {
		const char *word = *s;
		*s += strcspn(word, BLANKS);
		return xstrndup(word, (size_t)(*s - word));
	}
	char *out = xcalloc(strlen(*s) + 2, 1);
	size_t n = 0;
	if (keep)
		out[n++] = '[';
	for (++*s; **s && **s != ']'; ++*s) {
		*s += (*s)[0] == '\\' && (*s)[1] == ']';
		out[n++] = **s;
	}
	if (keep)
		out[n++] = ']';
	*s += **s == ']';
	return out;
}

/* "auth", "-Session" -> "session"; NULL for what is no type. */
static const char *type_of(const char *word)
{
	word += *word == '-'; /* "do not complain where the module is missing" */
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcasecmp(word, types[i]) == 0)
			return types[i];
	return NULL;
}

/* The words of a line in order; false where it is no line that names something. */
static bool read_line(const char *s, bool conf, struct pam_line *l)
{
	l->service = conf ? next_word(&s, false) : xstrdup("");
	CLEANUP_STR char *type = next_word(&s, false);

	if (!l->service || !type)
		return false;
	if (streq(type, "@include")) {
		l->type = xstrdup("");
		l->control = steal_ptr(type);
	} else if (type_of(type)) {
		l->type = xstrdup(type_of(type));
		l->control = next_word(&s, true);
	}
	if (!l->control || (l->control[0] == '@' && l->type[0]))
		return false;
	l->module = next_word(&s, false);
	for (char *a; l->arguments.n < ARGUMENTS_MAX && (a = next_word(&s, false));)
		strv_take(&l->arguments, a);
	return l->module && *l->module;
}

static void add_line(struct pam_lines *p, const char *text, bool conf, unsigned number)
{
	struct pam_line l CLEANUP_PAM_LINE = {.line = number};

	if (p->n >= LINES_MAX || !read_line(text, conf, &l))
		return;
	p->v = xrealloc(p->v, p->n + 1, sizeof(*p->v));
	p->v[p->n++] = l;
	l = (struct pam_line){0};
}

/* One line of the file at the end of @joined, without its comment. Returns whether the next one
 * belongs to it. */
static bool join(char *joined, const char *text, size_t len)
{
	char *end = joined + strlen(joined);

	memcpy(end, text, len);
	end[len] = '\0';
	end[strcspn(end, "#")] = '\0';
	len = strlen(end);
	while (len && strchr(BLANKS, end[len - 1]))
		end[--len] = '\0';
	if (!len || end[len - 1] != '\\')
		return false;
	end[len - 1] = ' ';
	return true;
}

void pam_parse(const char *text, size_t len, bool conf, struct pam_lines *ret)
{
	CLEANUP_STR char *joined = xcalloc(len + 1, 1);
	unsigned line = 0, first = 1;

	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;
		bool more = join(joined, text, n);

		line++;
		n += end != NULL;
		text += n;
		len -= n;
		if (more && len)
			continue;
		add_line(ret, joined, conf, first);
		joined[0] = '\0';
		first = line + 1;
	}
}
