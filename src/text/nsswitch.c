/* SPDX-License-Identifier: MIT */
#include "text/nsswitch.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/str.h"

/* More than any real file has; a bound for what is no nsswitch.conf. */
#define WORDS_MAX 1024

#define BLANKS " \t\r\v\f"

/* glibc, nss/nss_database.c: what answers where the file says nothing. */
static const struct {
	const char *database, *services;
} defaults[] = {
    {"aliases", "files"},      {"ethers", "files"},    {"group", "files"},
    {"gshadow", "files"},      {"hosts", "dns files"}, {"netgroup", "files"},
    {"networks", "dns files"}, {"passwd", "files"},    {"protocols", "files"},
    {"publickey", "files"},    {"rpc", "files"},       {"services", "files"},
    {"shadow", "files"},
};

void nsswitch_done(struct nsswitch *n)
{
	for (size_t i = 0; i < n->n; i++) {
		free(n->v[i].database);
		free(n->v[i].service);
	}
	free(n->v);
	*n = (struct nsswitch)NSSWITCH_INIT;
}

static void add(struct nsswitch *n, const char *database, const char *service, size_t len,
		unsigned line)
{
	if (n->n >= WORDS_MAX)
		return;
	n->v = xrealloc(n->v, n->n + 1, sizeof(*n->v));
	n->v[n->n++] = (struct nsswitch_word){xstrdup(database), xstrndup(service, len), line};
}

/* The services of one database: words, and between them actions in brackets. */
static void add_services(struct nsswitch *n, const char *database, const char *s, unsigned line)
{
	for (s += strspn(s, BLANKS); *s; s += strspn(s, BLANKS)) {
		size_t len = strcspn(s, BLANKS "[]");

		if (len)
			add(n, database, s, len, line);
		else if (*s == '[')
			len = strcspn(s, "]");
		else
			len = 1; /* a bracket that closes nothing */
		s += len;
	}
}

static void parse_line(struct nsswitch *n, char *text, unsigned line)
{
	text[strcspn(text, "#")] = '\0';
	text += strspn(text, BLANKS);
	char *colon = strchr(text, ':');
	size_t len = strcspn(text, BLANKS ":");

	if (!colon || !len || strspn(text + len, BLANKS) != (size_t)(colon - text) - len)
		return;
	text[len] = '\0';
	add_services(n, text, colon + 1, line);
}

void nsswitch_parse(const char *text, size_t len, struct nsswitch *ret)
{
	unsigned line = 0;

	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;
		CLEANUP_STR char *copy = xstrndup(text, n);

		parse_line(ret, copy, ++line);
		n += end != NULL;
		text += n;
		len -= n;
	}
}

static int has_database(const struct nsswitch *n, const char *database)
{
	for (size_t i = 0; i < n->n; i++)
		if (streq(n->v[i].database, database))
			return 1;
	return 0;
}

void nsswitch_defaults(struct nsswitch *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		if (!has_database(ret, defaults[i].database))
			add_services(ret, defaults[i].database, defaults[i].services, 0);
}
