/* SPDX-License-Identifier: MIT */
/* The library without which an interpreter is not itself. */
#include "base/alloc.h"
#include "foresee/modules.h"
#include "host/host.h"
#include "text/tokens.h"

/* Files of one tree, modules of one core. */
#define CORE_MAX 5000

/* The core of one program. */
struct core {
	struct evidence *ev;
	struct modules m;
	const char *program;
	const char *by;	  /* itself, or what has it as a library */
	struct strv todo; /* modules still to be looked into */
};

static void take_core_module(struct core *c, const char *name, const char *from)
{
	struct strv found CLEANUP_STRV = STRV_INIT;

	modules_find(&c->m, name, &found);
	for (size_t i = 0; i < found.n; i++) {
		const struct node *n = evidence_take(c->ev, found.v[i], REASON_CORE, from,
						     "core module %s of %s", name, c->by);
		const struct interpreter *in = n ? interpreter_of_module(n->path) : NULL;
		if (in && in->language == c->m.in->language && c->todo.n < CORE_MAX &&
		    !strv_has(&c->todo, n->path))
			strv_add(&c->todo, n->path);
	}
}

/* What loading it loads. */
static void look_into(struct core *c, const char *path)
{
	struct script_words words CLEANUP_SCRIPT_WORDS = SCRIPT_WORDS_INIT;
	CLEANUP_STR char *text = NULL;
	size_t len;

	if (host_read(c->ev->host, path, SCRIPT_TEXT_MAX, &text, &len) < 0)
		return;
	script_words(c->m.in->language, text, len, &words);
	modules_stand(&c->m, path);
	for (size_t i = 0; i < words.n; i++)
		if (words.v[i].module && !words.v[i].lazy)
			take_core_module(c, words.v[i].text, path);
}

static void take_core_modules(struct core *c)
{
	const char *const *name = c->m.in->modules;

	for (; name && *name; name++)
		take_core_module(c, *name, c->by);
	for (size_t i = 0; i < c->todo.n; i++)
		look_into(c, c->todo.v[i]);
}

static void take_trees(struct core *c)
{
	struct strv found CLEANUP_STRV = STRV_INIT;

	modules_glob(c->ev->host, c->m.in->trees, c->program, &found);
	for (size_t i = 0; i < found.n; i++) {
		const struct node *n = evidence_take(c->ev, found.v[i], REASON_CORE, c->by,
						     "core library of %s", c->by);
		if (n && S_ISDIR(n->st.st_mode))
			evidence_take_tree(c->ev, found.v[i], CORE_MAX, c->m.in->skip, REASON_CORE,
					   c->by, "core library of %s", c->by);
	}
}

/* "extension=curl", "zend_extension=opcache.so". */
static void take_extension(struct core *c, const struct token *t, const char *settings)
{
	struct strv found CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *with_end = xasprintf("%s.so", t->text);

	if (!streq(t->key, "extension") && !streq(t->key, "zend_extension"))
		return;
	modules_find(&c->m, t->text, &found);
	modules_find(&c->m, with_end, &found);
	for (size_t i = 0; i < found.n; i++)
		evidence_take(c->ev, found.v[i], REASON_MODULE, settings,
			      "extension %s, named in %s:%u", t->text, settings, t->line);
}

static void take_extensions(struct core *c, const char *settings)
{
	struct tokens tokens CLEANUP(tokens_done) = TOKENS_INIT;
	CLEANUP_STR char *text = NULL;
	size_t len;

	if (host_read(c->ev->host, settings, SCRIPT_TEXT_MAX, &text, &len) < 0)
		return;
	tokens_read(text, len, CORE_MAX, &tokens);
	for (size_t i = 0; i < tokens.n; i++)
		take_extension(c, &tokens.v[i], settings);
}

static void take_settings(struct core *c)
{
	struct strv found CLEANUP_STRV = STRV_INIT;

	modules_glob(c->ev->host, c->m.in->settings, c->program, &found);
	for (size_t i = 0; i < found.n; i++) {
		const struct node *n =
		    evidence_take(c->ev, found.v[i], REASON_CORE, c->by, "settings of %s", c->by);
		if (n && S_ISREG(n->st.st_mode))
			take_extensions(c, n->path);
	}
}

void interpreter_take_embedded(struct evidence *ev, const struct interpreter *in,
			       const char *program, const char *by)
{
	struct core c = {.ev = ev, .program = program, .by = by};

	modules_open(&c.m, ev->host, in, program, NULL);
	take_trees(&c);
	take_core_modules(&c);
	take_settings(&c);
	modules_done(&c.m);
	strv_done(&c.todo);
}

void interpreter_take(struct evidence *ev, const struct interpreter *in, const char *program)
{
	interpreter_take_embedded(ev, in, program, program);
}
