/* SPDX-License-Identifier: MIT */
#include "grow/event.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "elf/interp.h"
#include "fs/beneath.h"
#include "grow/rights.h"
#include "grow/room.h"
#include "grow/tracee.h"
#include "grow/walk.h"

/* fs/exec.c of the kernel follows an interpreter's interpreter five times at most. */
#define MAX_INTERPRETERS 5

/* What a command that may fail would write is not to be the jail's to write, and a file that it
 * only looks at is not to be brought in for that. */
static unsigned light_kinds(const struct touch *touch, unsigned kinds)
{
	unsigned less = TOUCH_WRITE | TOUCH_MAKE | TOUCH_REMOVE | TOUCH_CHANGE | TOUCH_BIND;

	return kinds & ~(S_ISREG(touch->found) ? less | TOUCH_LOOK : less);
}

static void touch_mark(struct engine *en, struct touch *touch, const struct event *ev,
		       unsigned kinds)
{
	if (!touch->by) {
		touch->by = xstrdup(en->tree->record->programs.v[ev->program]);
		touch->phase = ev->phase;
	}
	touch->programs |= PROGRAM_BIT(ev->program);
	touch->kinds |= ev->light ? light_kinds(touch, kinds) : kinds;
}

/* What the kernel opens unseen when it executes @file; *ret is NULL where that is nothing. */
static enum engine_answer find_interpreter(struct engine *en, const struct event *ev,
					   const struct touch *file, enum interp_kind *ret_kind,
					   struct touch **ret)
{
	struct origin o = {
	    .tid = ev->tid, .program = ev->program, .root = ev->root, .base = ev->root};
	char path[4096];
	struct walked at;

	*ret = NULL;
	*ret_kind = INTERP_NONE;
	CLEANUP_FD int fd = tree_open(en->tree, file->path);
	if (fd < 0 || interp_find_fd(fd, path, sizeof(path), ret_kind) < 0 ||
	    *ret_kind == INTERP_NONE)
		return ENGINE_DONE;
	/* A relative "#!" path starts from the cwd. */
	if (path[0] != '/' && tracee_link(ev->tid, "cwd", at.path, sizeof(at.path)) == 0)
		o.base = strdupa(at.path);
	enum walk_result r = walk(en->tree, &o, path, true, &at);
	if (r == WALK_LATER)
		return ENGINE_LATER;
	if (r != WALK_THERE || !S_ISREG(at.type))
		return ENGINE_DONE;
	touch_mark(en, at.touch, ev, TOUCH_INTERP | TOUCH_READ);
	if (!at.touch->why)
		at.touch->why = xasprintf("interpreter of %s", file->path);
	*ret = at.touch;
	return ENGINE_DONE;
}

/* From a script to its interpreter, on to that one's, and to the loader of the last. All of them
 * are used by the program that will run, too: *ret, the last but for the loader. */
static enum engine_answer follow_interpreters(struct engine *en, const struct event *ev,
					      struct touch *file, struct touch **ret)
{
	struct touch *chain[MAX_INTERPRETERS + 1] = {file};
	enum interp_kind kind = INTERP_SCRIPT;
	size_t n = 1;

	*ret = file;
	while (kind == INTERP_SCRIPT && n < ARRAY_LEN(chain)) {
		if (find_interpreter(en, ev, chain[n - 1], &kind, &chain[n]) == ENGINE_LATER)
			return ENGINE_LATER;
		if (!chain[n])
			break;
		if (kind == INTERP_SCRIPT)
			*ret = chain[n];
		n++;
	}
	unsigned program = record_program(en->tree->record, (*ret)->path);
	for (size_t i = 0; i < n; i++)
		chain[i]->programs |= PROGRAM_BIT(program);
	return ENGINE_DONE;
}

/* Of a baseline's start it is kept how each program was executed; but for one that is executed in a
 * root of the service's own, which nobody else could do again. */
static void note_execution(struct engine *en, const struct event *ev, const struct event_path *p,
			   const char *file, const char *exe)
{
	int argv = ev->call->paths[0].path + 1;
	char cwd[4096];

	if (ev->phase != PHASE_START || en->tree->jail >= 0 || !streq(ev->root, "/"))
		return;
	struct execution x = {
	    .program = p->text[0] == '/' ? xstrdup(p->text)
		       : p->text[0]	 ? path_join(p->base, p->text)
					 : xstrdup(file),
	    .exe = xstrdup(exe),
	    .cwd = xstrdup(tracee_link(ev->tid, "cwd", cwd, sizeof(cwd)) == 0 ? cwd : ""),
	};
	if (tracee_words(ev->tid, ev->args[argv], ev->word, &x.argv) < 0 ||
	    tracee_words(ev->tid, ev->args[argv + 1], ev->word, &x.env) < 0)
		strv_done(&x.argv);
	record_execution(en->tree->record, &x);
}

static enum engine_answer handle_exec(struct engine *en, const struct event *ev,
				      const struct event_path *p, struct touch *file)
{
	struct touch *program;

	if (follow_interpreters(en, ev, file, &program) == ENGINE_LATER)
		return ENGINE_LATER;
	note_execution(en, ev, p, file->path, program->path);
	programs_forget(&en->programs);
	return ENGINE_DONE;
}

/* A key for "this program, this thread's root, this starting point, this text, done in this way".
 */
static char *seen_key(const struct event *ev, const struct event_path *p)
{
	const char *root = p->in_root ? p->base : ev->root;

	return xasprintf("%x.%x%c%s%c%s%c%s", ev->program, p->kinds, p->follow ? 'f' : 'n', root, 1,
			 p->text[0] == '/' ? "" : p->base, 1, p->text);
}

static bool seen_before(struct engine *en, const char *key)
{
	struct seen *s;
	HASH_FIND_STR(en->seen, key, s);
	return s && s->epoch == en->epoch;
}

static void seen_add(struct engine *en, char *key)
{
	struct seen *s;

	HASH_FIND_STR(en->seen, key, s);
	if (s) {
		s->epoch = en->epoch;
		free(key);
		return;
	}
	s = xcalloc(1, sizeof(*s));
	s->key = key;
	s->epoch = en->epoch;
	HASH_ADD_KEYPTR(hh, en->seen, s->key, strlen(s->key), s);
}

void engine_settle(struct engine *en, pid_t tid)
{
	size_t kept = 0;

	for (size_t i = 0; i < en->n_makings; i++) {
		struct making m = en->makings[i];
		if (tree_has(en->tree, m.touch->path))
			m.touch->made = true;
		else if (m.tid != tid)
			en->makings[kept++] = m;
	}
	en->n_makings = kept;
}

static void note_making(struct engine *en, const struct event *ev, struct touch *touch)
{
	if (touch->made)
		return;
	en->makings = xrealloc(en->makings, en->n_makings + 1, sizeof(*en->makings));
	en->makings[en->n_makings++] = (struct making){touch, ev->tid};
}

static void record_result(struct engine *en, const struct event *ev, const struct event_path *p,
			  struct walked *at, enum walk_result r)
{
	if (r == WALK_NOWHERE || !at->touch)
		return;
	/* Missing on the way: the path that is not there was looked for, nothing more. */
	touch_mark(en, at->touch, ev, r == WALK_MISSING && !at->last ? TOUCH_LOOK : p->kinds);
	if (p->kinds & TOUCH_MAKE && r == WALK_MISSING && at->last)
		note_making(en, ev, at->touch);
	if (p->kinds & TOUCH_LIST && r == WALK_THERE)
		tree_list(en->tree, at->path);
	if (p->kinds & TOUCH_REMOVE && r == WALK_THERE && S_ISDIR(at->type))
		tree_pull(en->tree, at->path);
	/* What a directory would be renamed onto must be as empty, or as full, as on the host. */
	if (p->kinds & TOUCH_MAKE && ev->call->changes_links && r == WALK_THERE &&
	    S_ISDIR(at->type))
		tree_pull(en->tree, at->path);
	if (p->mounted && r == WALK_THERE)
		tree_complete(en->tree, at->path);
}

/* Whether the overlay's copy of what is opened for writing fits. Once it is made, it is there. */
static bool has_room(struct engine *en, const struct event_path *p, struct walked *at)
{
	struct touch *t = at->touch;
	struct stat st;

	if (!(p->kinds & TOUCH_WRITE) || !t || t->room || !S_ISREG(t->found))
		return true;
	t->room = p->emptied || beneath_lstat(en->tree->world, at->path, &st) < 0 ||
		  room_for(en->tree->scratch, at->path, &st, ROOM_WRITTEN, &en->tree->failure) == 0;
	return t->room;
}

static enum engine_answer handle_path(struct engine *en, const struct event *ev,
				      const struct event_path *p, char *ret_canonical)
{
	struct origin o = {.tid = ev->tid,
			   .program = ev->program,
			   .root = p->in_root ? p->base : ev->root,
			   .base = p->base};
	struct walked at; /* filled by walk() */
	CLEANUP_STR char *key = seen_key(ev, p);

	ret_canonical[0] = '\0';
	/* Calls that change names or execute are few, and their results matter each time. */
	if (!ev->call->changes_links && !(p->kinds & TOUCH_EXEC) && seen_before(en, key))
		return ENGINE_DONE;
	enum walk_result r = walk(en->tree, &o, p->text, p->follow, &at);
	if (r == WALK_LATER)
		return ENGINE_LATER;
	record_result(en, ev, p, &at, r);
	if (r == WALK_THERE && !has_room(en, p, &at))
		return ENGINE_NEVER;
	if (r == WALK_THERE && (p->kinds & TOUCH_EXEC) && S_ISREG(at.type) &&
	    handle_exec(en, ev, p, at.touch) == ENGINE_LATER)
		return ENGINE_LATER;
	if (r != WALK_NOWHERE)
		snprintf(ret_canonical, sizeof(at.path), "%s", at.path);
	/* What is missing may come (an exercise writes it), what is there stays or is the
	 * service's. */
	bool told =
	    at.via_proc || !at.touch || r == WALK_NOWHERE || right_path(en, ev, at.touch, p->kinds);
	if (r == WALK_THERE && !at.via_proc && told)
		seen_add(en, steal_ptr(key));
	return ENGINE_DONE;
}

static void handle_peer(struct engine *en, const struct event *ev)
{
	const struct sockaddr_in *in = (const void *)&ev->addr;
	const struct sockaddr_in6 *in6 = (const void *)&ev->addr;
	bool v6 = ev->addr.ss_family == AF_INET6;
	char text[INET6_ADDRSTRLEN];

	if (ev->addr.ss_family != AF_INET && !v6)
		return;
	if (ev->addr_len < (v6 ? sizeof(*in6) : sizeof(*in)))
		return;
	if (!inet_ntop(ev->addr.ss_family, v6 ? (const void *)&in6->sin6_addr : &in->sin_addr, text,
		       sizeof(text)))
		return;
	record_peer(en->tree->record, ev->call->paths[0].kinds & TOUCH_BIND, ev->addr.ss_family,
		    text, ntohs(v6 ? in6->sin6_port : in->sin_port));
}

static void note_pairing(struct engine *en, const char *from, const char *to)
{
	if (!from[0] || !to[0])
		return;
	CLEANUP_STR char *a = path_parent(from);
	CLEANUP_STR char *b = path_parent(to);
	record_pairing(en->tree->record, a, b);
}

/* A program that names ever new paths must not fill our memory. */
#define MAX_TOUCHES 1000000

static bool full(struct engine *en)
{
	if (HASH_COUNT(en->tree->record->touches) < MAX_TOUCHES)
		return false;
	if (!en->tree->failure.code)
		err_set(
		    &en->tree->failure, -E2BIG,
		    "the service reached for more than %d paths: no jail can be learnt from that",
		    MAX_TOUCHES);
	return true;
}

enum engine_answer engine_handle(struct engine *en, struct event *ev)
{
	char canonical[2][4096];

	canonical[0][0] = canonical[1][0] = '\0';
	engine_settle(en, ev->tid);
	if (full(en))
		return ENGINE_DONE;
	ev->program = programs_of(&en->programs, en->tree->record, ev->tid);
	en->tree->record->program_phases[ev->program] |= 1u << ev->phase;
	if (ev->call->shape == SHAPE_SOCKADDR && ev->addr.ss_family != AF_UNIX) {
		handle_peer(en, ev);
		return ENGINE_DONE;
	}
	for (size_t i = 0; i < ARRAY_LEN(ev->paths); i++)
		if (ev->paths[i].used) {
			enum engine_answer a = handle_path(en, ev, &ev->paths[i], canonical[i]);
			if (a != ENGINE_DONE)
				return a;
		}
	if (ev->call->changes_links)
		en->epoch++;
	if (ev->paths[1].kinds & TOUCH_MAKE)
		note_pairing(en, canonical[0], canonical[1]);
	return ENGINE_DONE;
}

void engine_done(struct engine *en)
{
	struct seen *s, *next;

	free(en->makings);
	HASH_ITER(hh, en->seen, s, next)
	{
		HASH_DEL(en->seen, s);
		free(s->key);
		free(s);
	}
}
