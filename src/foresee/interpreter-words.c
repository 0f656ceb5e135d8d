/* SPDX-License-Identifier: MIT */
/* What a script names: programs along the search path, modules in the interpreter's directories. */
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "foresee/modules.h"
#include "host/host.h"

/* Files of one package. */
#define PACKAGE_MAX 5000

/* The path along @search that @name would run, as found. */
static char *find_program(const struct evidence *ev, const char *name, const char *search,
			  const char *beside, char **canonical)
{
	const char *place = name[0] == '/' ? "/" : strchr(name, '/') ? beside : search;
	CLEANUP_STR char *dirs = xstrdup(place);
	char *rest = dirs, *dir;
	struct stat st;

	while ((dir = strsep(&rest, ":"))) {
		CLEANUP_STR char *path = path_join(*dir ? dir : beside, name);
		CLEANUP_STR char *end = NULL;
		if (host_resolve(ev->host, path, &end, &st, NULL) < 0 || !S_ISREG(st.st_mode) ||
		    !(st.st_mode & 0111))
			continue;
		*canonical = steal_ptr(end);
		return steal_ptr(path);
	}
	return NULL;
}

/* One script and where its words are looked up. */
struct reading {
	struct evidence *ev;
	const char *path, *search, *dir;
};

static void take_program(const struct reading *r, const struct script_word *w)
{
	CLEANUP_STR char *canonical = NULL;
	CLEANUP_STR char *found = find_program(r->ev, w->text, r->search, r->dir, &canonical);

	if (found)
		evidence_take(r->ev, found, REASON_RUN, r->path, "run by %s:%u", r->path, w->line);
}

/* Names in a package that its program does not need. */
static const char *const package_skip[] = {"test",    "tests",	  "docs", "doc",
					   "example", "examples", NULL};

static void take_module(const struct reading *r, const struct modules *m,
			const struct script_word *w)
{
	struct strv found CLEANUP_STRV = STRV_INIT;

	modules_find(m, w->text, &found);
	for (size_t i = 0; i < found.n; i++) {
		const struct node *n =
		    evidence_take(r->ev, found.v[i], REASON_MODULE, r->path,
				  "module %s, used by %s:%u", w->text, r->path, w->line);
		if (n && S_ISDIR(n->st.st_mode))
			evidence_take_tree(r->ev, n->path, PACKAGE_MAX, package_skip, REASON_MODULE,
					   r->path, "package of %s, used by %s:%u", w->text,
					   r->path, w->line);
	}
}

/* The program that will read the text: of its "#!" line, else the one the row knows. */
static char *reader_of(const struct reading *r, const struct interpreter *in, const char *text,
		       size_t len, char **canonical)
{
	struct script_line line;
	const char *name = in->program;

	if (script_line(text, len, &line)) {
		const char *written = line.program[0] ? line.program : line.interpreter;
		name = interpreter_of(written) == in ? written : name;
	}
	return find_program(r->ev, name, r->search, r->dir, canonical);
}

void interpreter_take_words(struct evidence *ev, const struct interpreter *in, const char *path,
			    const char *text, size_t len, const char *search,
			    const struct strv *environment)
{
	struct script_words words CLEANUP_SCRIPT_WORDS = SCRIPT_WORDS_INIT;
	struct modules m CLEANUP_MODULES = {0};
	CLEANUP_STR char *dir = path_parent(path);
	CLEANUP_STR char *program = NULL;
	const struct reading r = {ev, path, search, dir};

	script_words(in->language, text, len, &words);
	if (!words.n)
		return;
	CLEANUP_STR char *written = reader_of(&r, in, text, len, &program);
	modules_open(&m, ev->host, in, program, written);
	modules_stand(&m, path);
	modules_add_dirs(&m, environment, &words.dirs);
	if (m.mark)
		evidence_take(ev, m.mark, REASON_CORE, path, "virtual environment of %s", path);
	bool core = modules_has_core(&m, path);
	for (size_t i = 0; i < words.n; i++) {
		if (words.v[i].module && !(core && words.v[i].lazy))
			take_module(&r, &m, &words.v[i]);
		else if (!words.v[i].module && !core)
			take_program(&r, &words.v[i]);
	}
}

void interpreter_take_named(struct evidence *ev, const struct interpreter *in, const char *program,
			    const char *name, const char *by)
{
	struct modules m CLEANUP_MODULES = {0};
	struct strv found CLEANUP_STRV = STRV_INIT;
	const char *separator = in->form->separator;

	/* A dot or a slash may stand in any word. */
	if (strlen(separator) < 2 || !strstr(name, separator))
		return;
	modules_open(&m, ev->host, in, program, NULL);
	modules_find(&m, name, &found);
	for (size_t i = 0; i < found.n; i++)
		evidence_take(ev, found.v[i], REASON_MODULE, by,
			      "module %s of %s, named in configuration", name, by);
}
