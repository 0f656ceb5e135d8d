/* SPDX-License-Identifier: MIT */
#include "grow/walk.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "base/str.h"
#include "grow/tracee.h"

#define MAX_LINKS 40 /* include/linux/namei.h: MAXSYMLINKS */

struct walker {
	struct tree *tree;
	const struct origin *o;
	struct walked *at;
	char rest[2 * PATH_MAX]; /* what is still to be walked */
	int links;
};

static bool set_rest(struct walker *w, const char *target)
{
	char joined[2 * PATH_MAX];
	int n = snprintf(joined, sizeof(joined), "%s/%s", target, w->rest);

	if (n < 0 || (size_t)n >= sizeof(joined))
		return false;
	memcpy(w->rest, joined, (size_t)n + 1);
	return true;
}

static bool set_path(struct walker *w, const char *path)
{
	size_t n = strlen(path);

	if (n >= sizeof(w->at->path))
		return false;
	memmove(w->at->path, path, n + 1);
	return true;
}

/* Cuts the next component off `rest` into @name; false at the end. */
static bool next(struct walker *w, char name[NAME_MAX + 1])
{
	size_t skip = strspn(w->rest, "/");
	size_t n = strcspn(w->rest + skip, "/");

	if (n == 0 || n > NAME_MAX)
		return false;
	memcpy(name, w->rest + skip, n);
	name[n] = '\0';
	memmove(w->rest, w->rest + skip + n, strlen(w->rest + skip + n) + 1);
	return true;
}

static bool at_end(const struct walker *w)
{
	return w->rest[strspn(w->rest, "/")] == '\0';
}

static void go_up(struct walker *w)
{
	if (streq(w->at->path, w->o->root))
		return;
	char *slash = strrchr(w->at->path, '/');
	if (slash == w->at->path)
		slash++;
	*slash = '\0';
}

static bool go_down(struct walker *w, const char *name)
{
	size_t n = strlen(w->at->path);
	int m = snprintf(w->at->path + n, sizeof(w->at->path) - n, "%s%s", n > 1 ? "/" : "", name);

	return m > 0 && (size_t)m < sizeof(w->at->path) - n;
}

/* What is in /proc besides processes, proc(5): a right, since a jail may be without it. */
static void note_proc(const struct walker *w, const char *name)
{
	struct record *r = w->tree->record;
	unsigned program = w->o->program;
	char why[NAME_MAX + 16];

	if (isdigit((unsigned char)*name) || streq(name, "self") || streq(name, "thread-self"))
		return;
	snprintf(why, sizeof(why), "asks for /proc/%s", name);
	record_right(r, "proc", why, program < r->programs.n ? r->programs.v[program] : "",
		     PHASE_START);
}

/* /proc/PID/{cwd,root,fd/N} with something behind them lead back into the tree: the walk goes on
 * from where the link points. PID is "self", or a number, which inside is another than here: then
 * only the thread's own links are translated. Everything else in /proc needs no file of ours. */
static bool leave_proc(struct walker *w)
{
	char name[NAME_MAX + 1], link[NAME_MAX + 16], target[PATH_MAX];

	if (!next(w, name))
		return false;
	note_proc(w, name);
	if (!streq(name, "self") && !streq(name, "thread-self"))
		return false;
	if (!next(w, name))
		return false;
	if (streq(name, "task") && (!next(w, name) || !next(w, name)))
		return false;
	snprintf(link, sizeof(link), "%s", name);
	if (streq(name, "fd")) {
		if (!next(w, name))
			return false;
		snprintf(link, sizeof(link), "fd/%s", name);
	} else if (!streq(name, "cwd") && !streq(name, "root") && !streq(name, "exe"))
		return false;
	w->at->via_proc = true;
	if (tracee_link(w->o->tid, link, target, sizeof(target)) < 0 ||
	    !tree_same(w->tree, target, w->o->tid, link) || !set_path(w, target))
		return false;
	w->at->touch = record_get(w->tree->record, w->at->path);
	w->at->type = w->at->touch->found;
	w->at->last = at_end(w);
	return true;
}

static enum walk_result step_link(struct walker *w)
{
	char target[PATH_MAX];

	w->at->touch->kinds |= TOUCH_LINK;
	w->at->touch->programs |= PROGRAM_BIT(w->o->program);
	if (++w->links > MAX_LINKS ||
	    tree_readlink(w->tree, w->at->path, target, sizeof(target)) < 0 || !set_rest(w, target))
		return WALK_NOWHERE;
	if (target[0] == '/')
		return set_path(w, w->o->root) ? WALK_THERE : WALK_NOWHERE;
	go_up(w);
	return WALK_THERE;
}

static enum walk_result step(struct walker *w, const char *name, bool follow)
{
	if (streq(name, "."))
		return WALK_THERE;
	if (streq(name, "..")) {
		go_up(w);
		w->at->type = S_IFDIR;
		w->at->touch = record_get(w->tree->record, w->at->path);
		return WALK_THERE;
	}
	if (!go_down(w, name))
		return WALK_NOWHERE;
	if (streq(w->at->path, "/proc") && !at_end(w)) {
		w->at->type = S_IFDIR;
		return leave_proc(w) ? WALK_THERE : WALK_NOWHERE;
	}
	w->at->last = at_end(w);
	switch (tree_look(w->tree, w->at->path, &w->at->type, &w->at->touch)) {
	case TREE_LATER:
		return WALK_LATER;
	case TREE_MISSING:
		return WALK_MISSING;
	case TREE_THERE:
		break;
	}
	if (S_ISLNK(w->at->type) && (follow || !at_end(w)))
		return step_link(w);
	if (!S_ISDIR(w->at->type) && !at_end(w))
		return WALK_NOWHERE; /* ENOTDIR, with or without us */
	return WALK_THERE;
}

enum walk_result walk(struct tree *t, const struct origin *o, const char *path, bool follow,
		      struct walked *ret)
{
	struct walker w; /* its buffer is filled below, not cleared */
	char name[NAME_MAX + 1];
	size_t n = strlen(path);

	w.tree = t;
	w.o = o;
	w.at = ret;
	w.links = 0;
	if (n >= PATH_MAX || !set_path(&w, path[0] == '/' ? o->root : o->base))
		return WALK_NOWHERE;
	/* "dir/" means that dir is followed even where the last link would not be. */
	follow |= n > 1 && path[n - 1] == '/';
	memcpy(w.rest, path, n + 1);
	ret->last = true;
	ret->via_proc = false;
	ret->touch = record_get(t->record, ret->path);
	ret->type = ret->touch->found ? ret->touch->found : S_IFDIR;
	while (next(&w, name)) {
		enum walk_result r = step(&w, name, follow);
		if (r != WALK_THERE)
			return r;
	}
	return at_end(&w) ? WALK_THERE : WALK_NOWHERE;
}
