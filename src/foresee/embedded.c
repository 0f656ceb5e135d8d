/* SPDX-License-Identifier: MIT */
/* Interpreters that are no program but a library: mod_perl, mod_wsgi, a database's procedures. They
 * need the same core as the program would, and find modules where that does. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/path.h"
#include "foresee/parts.h"

struct embedded {
	const struct interpreter *in;
	char *program; /* which would be it: "/usr/bin/python3.11"; it need not exist */
	const char *by;
	size_t words; /* that were looked at */
};

static bool is_known(const struct foresee *f, const struct interpreter *in)
{
	for (size_t i = 0; i < f->n_embedded; i++)
		if (f->embedded[i].in == in)
			return true;
	return false;
}

/* "/usr" of "/usr/lib/x86_64-linux-gnu/libperl.so.5.36", which may be found as "/lib/...". New. */
static char *prefix_of(const char *library)
{
	const char *lib = strstr(library, "/lib");
	return lib && lib > library ? xstrndup(library, (size_t)(lib - library)) : xstrdup("/usr");
}

/* @path: of library @name. */
static void look_at_library(struct foresee *f, const struct node *n, const char *name,
			    const char *path)
{
	CLEANUP_STR char *command = NULL;
	const struct interpreter *in = interpreter_of_library(name, &command);

	if (!in || !path || is_known(f, in))
		return;
	CLEANUP_STR char *prefix = prefix_of(path);
	char *program = xasprintf("%s/bin/%s", prefix, command);
	f->embedded = xrealloc(f->embedded, f->n_embedded + 1, sizeof(*f->embedded));
	f->embedded[f->n_embedded++] =
	    (struct embedded){.in = in, .program = program, .by = n->path};
	interpreter_take_embedded(f->ev, in, program, n->path);
}

void embedded_look(struct foresee *f, const struct node *n, const struct elf_object *o)
{
	look_at_library(f, n, path_base(n->path), n->path);
	for (size_t i = 0; i < o->needed.n; i++) {
		CLEANUP_STR char *command = NULL;
		if (!interpreter_of_library(o->needed.v[i], &command))
			continue;
		CLEANUP_STR char *path = libraries_find(f->libraries, n->path, o->needed.v[i]);
		look_at_library(f, n, o->needed.v[i], path);
	}
}

void embedded_read(struct foresee *f, const struct interpreter *in, const char *path,
		   const char *text, size_t len)
{
	for (size_t i = 0; i < f->n_embedded; i++)
		if (f->embedded[i].in != in &&
		    interpreter_language(f->embedded[i].in) == interpreter_language(in))
			interpreter_take_words(f->ev, f->embedded[i].in, path, text, len, f->search,
					       f->in->environment);
}

void embedded_words(struct foresee *f)
{
	for (size_t i = 0; i < f->n_embedded; i++) {
		struct embedded *e = &f->embedded[i];
		for (; e->words < f->words.n; e->words++)
			interpreter_take_named(f->ev, e->in, e->program, f->words.v[e->words],
					       e->by);
	}
}

void embedded_done(struct foresee *f)
{
	for (size_t i = 0; i < f->n_embedded; i++)
		free(f->embedded[i].program);
	free(f->embedded);
}
