/* SPDX-License-Identifier: MIT */
#include "jail/why.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "fs/beneath.h"

#define MAX_LINKS 40 /* include/linux/namei.h: MAXSYMLINKS */

void why_chain_done(struct why_chain *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].path);
		reason_done(&c->v[i].reason);
	}
	free(c->v);
	*c = (struct why_chain)WHY_CHAIN_INIT;
}

void why_chain_add(struct why_chain *c, const char *path, enum reason_kind kind, const char *from,
		   const char *text)
{
	c->v = xrealloc(c->v, c->n + 1, sizeof(*c->v));
	c->v[c->n++] = (struct why_step){
	    .path = xstrdup(path),
	    .reason = {kind, from ? xstrdup(from) : NULL, xstrdup(text)},
	};
	c->whole = !from;
}

const struct entry *why_bound_above(const struct manifest *m, const char *path)
{
	CLEANUP_STR char *dir = path_parent(path);

	for (char *slash; dir[1]; slash[slash == dir] = '\0') {
		const struct entry *en = manifest_find(m, dir);
		if (en && en->provided == PROVIDED_BIND && S_ISDIR(en->mode))
			return en;
		slash = strrchr(dir, '/');
	}
	return NULL;
}

const struct entry *why_cover(const struct manifest *m, const char *path)
{
	const struct entry *en = manifest_find(m, path);
	return en ? en : why_bound_above(m, path);
}

/* --- the search: depth first, each entry once, the reasons in their order -----------------------
 */

/* An entry on the way, and which of its reasons are done. Behind the last reason comes the
 * directory it lies in, where that is bound. */
struct visit {
	const struct entry *en;
	size_t done;
};

struct search {
	const struct manifest *m;
	bool *seen; /* by index of the entry */
	struct visit *stack;
	size_t depth;
};

/* What tells all by itself, where nothing stands behind it. */
static bool is_spec(const struct reason *r)
{
	return !r->from &&
	       (r->kind == REASON_COMMAND || r->kind == REASON_SPEC || r->kind == REASON_MADE);
}

static bool is_end(const struct reason *r)
{
	return !r->from;
}

static bool enter(struct search *s, const struct entry *en)
{
	size_t i = en ? (size_t)(en - s->m->v) : 0;

	if (!en || s->seen[i])
		return false;
	s->seen[i] = true;
	s->stack[s->depth++] = (struct visit){.en = en};
	return true;
}

/* Reason @i of the entry, or NULL behind the last one. */
static const struct reason *reason_at(const struct visit *v, size_t i)
{
	return i < v->en->n_reasons ? &v->en->reasons[i] : NULL;
}

/* The entry that the next reason leads to, or NULL. */
static const struct entry *follow(const struct search *s, struct visit *v)
{
	const struct reason *r = reason_at(v, v->done++);

	if (!r)
		return why_bound_above(s->m, v->en->path);
	return r->from ? why_cover(s->m, r->from) : NULL;
}

static void restart(struct search *s, const struct entry *en)
{
	memset(s->seen, 0, s->m->n * sizeof(*s->seen));
	s->depth = 0;
	enter(s, en);
}

/* Leaves the way to an end on the stack; false where no way leads to one. */
static bool find_end(struct search *s, const struct entry *en, bool (*ends)(const struct reason *))
{
	restart(s, en);
	while (s->depth) {
		struct visit *v = &s->stack[s->depth - 1];
		const struct reason *r = reason_at(v, v->done);
		if (v->done > v->en->n_reasons) {
			s->depth--;
			continue;
		}
		const struct entry *up = follow(s, v);
		if (r && ends(r))
			return true;
		enter(s, up);
	}
	return false;
}

/* No way leads to an end: the first reasons, until they leave the manifest or repeat. */
static void first_reasons(struct search *s, const struct entry *en)
{
	restart(s, en);
	while (enter(s, follow(s, &s->stack[s->depth - 1])))
		;
}

static void add_below(struct why_chain *c, const char *path, const struct entry *dir)
{
	CLEANUP_STR char *text = xasprintf("in %s, which is the host's own directory", dir->path);
	why_chain_add(c, path, REASON_BELOW, dir->path, text);
}

/* A step for each visit, and one more where a reason names a path in a bound directory that has no
 * entry of its own. */
static void add_steps(struct why_chain *c, const struct search *s)
{
	for (size_t i = 0; i < s->depth; i++) {
		const struct visit *v = &s->stack[i];
		const struct entry *up = i + 1 < s->depth ? v[1].en : NULL;
		const struct reason *r = reason_at(v, v->done - 1);
		if (r)
			why_chain_add(c, v->en->path, r->kind, r->from, r->text);
		if (up && !(r && streq(r->from, up->path)))
			add_below(c, r ? r->from : v->en->path, up);
	}
}

void why_chain_of(const struct manifest *m, const char *path, struct why_chain *ret)
{
	const struct entry *en = why_cover(m, path);

	if (!en)
		return;
	struct search s = {.m = m,
			   .seen = xcalloc(m->n, sizeof(*s.seen)),
			   .stack = xcalloc(m->n, sizeof(*s.stack))};
	if (!find_end(&s, en, is_spec) && !find_end(&s, en, is_end))
		first_reasons(&s, en);
	if (!streq(en->path, path))
		add_below(ret, path, en);
	add_steps(ret, &s);
	free(s.seen);
	free(s.stack);
}

/* --- resolving ----------------------------------------------------------------------------------
 */

/* The target of the link at @path as the jail has it, in @buf, or NULL where it is none. In a bound
 * directory the host's present one counts: it may have changed since the manifest was made. */
static const char *link_at(const struct manifest *m, int host, const char *path, char *buf,
			   size_t size)
{
	const struct entry *en = manifest_find(m, path);

	if (host >= 0 && why_bound_above(m, path))
		return beneath_readlink(host, path, buf, size) == 0 ? buf : NULL;
	return en ? en->link : NULL;
}

/* The first component of *rest, new; *rest goes on behind it. */
static char *pop(const char **rest)
{
	*rest += strspn(*rest, "/");
	size_t n = strcspn(*rest, "/");
	char *name = xstrndup(*rest, n);

	*rest += n;
	return name;
}

static void replace(char **s, char *by)
{
	free(*s);
	*s = by;
}

int why_resolve(const struct manifest *m, int host, const char *path, char **ret,
		struct strv *links)
{
	CLEANUP_STR char *at = xstrdup("/");
	CLEANUP_STR char *walk = xstrdup(path);
	char buf[PATH_MAX];
	const char *rest = walk;

	while (rest[strspn(rest, "/")]) {
		CLEANUP_STR char *name = pop(&rest);
		if (streq(name, ".."))
			replace(&at, path_parent(at));
		if (streq(name, ".") || streq(name, ".."))
			continue;
		CLEANUP_STR char *next = path_join(at, name);
		const char *target = link_at(m, host, next, buf, sizeof(buf));
		if (!target) {
			replace(&at, steal_ptr(next));
			continue;
		}
		if (links->n == MAX_LINKS)
			return -ELOOP;
		strv_take(links, xasprintf("%s -> %s", next, target));
		char *longer = path_join(target, rest);
		replace(&walk, longer);
		rest = walk;
		if (target[0] == '/')
			replace(&at, xstrdup("/"));
	}
	*ret = steal_ptr(at);
	return 0;
}
