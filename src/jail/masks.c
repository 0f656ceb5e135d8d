/* SPDX-License-Identifier: MIT */
#include "jail/masks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "host/host.h"

/* A file of configuration is not longer. */
#define TEXT_MAX (1 << 20)

struct scan {
	const struct layout *l;
	const struct manifest *m;
	int root;
	struct strv own; /* canonical, sorted */
	size_t seen;
	struct strv texts;	 /* files of configuration */
	struct strv links, ends; /* side by side: a link, and where it leads */
	struct strv foreign;	 /* keys that are nobody's so far */
};

/* By what is in it: of a file that its owner hides the mode alone does not say that it is a key,
 * and configuration that is hidden too must stay readable for the service. */
static bool is_key(const struct scan *s, const char *path, const struct stat *st)
{
	return st->st_size > 0 && evidence_key(s->root, path, st);
}

static bool is_own(const struct scan *s, const char *path)
{
	const struct entry *en = manifest_find(s->m, path);
	const struct provision *p = layout_find(s->l, path);

	/* A bound file is in the manifest when a run read it. */
	if ((en && S_ISREG(en->mode)) || (p && p->file))
		return true;
	for (size_t i = 0; i < s->own.n; i++)
		if (path_within(path, s->own.v[i]))
			return true;
	return false;
}

static void look_below(struct scan *s, const char *dir);

static void note_link(struct scan *s, const char *path)
{
	char *end;

	if (host_resolve(s->root, path, &end, NULL, NULL) < 0)
		return;
	strv_add(&s->links, path);
	strv_take(&s->ends, end);
}

static void look_at(struct scan *s, const char *path)
{
	struct stat st;

	if (s->seen++ >= MASKS_SCAN_MAX || beneath_lstat(s->root, path, &st) < 0)
		return;
	if (S_ISDIR(st.st_mode))
		look_below(s, path);
	else if (S_ISLNK(st.st_mode))
		note_link(s, path);
	else if (!S_ISREG(st.st_mode))
		return;
	else if (!is_key(s, path, &st))
		strv_add(&s->texts, path);
	else if (!is_own(s, path))
		strv_add(&s->foreign, path);
}

static void look_below(struct scan *s, const char *dir)
{
	struct strv names CLEANUP_STRV = STRV_INIT;

	host_names(s->root, dir, &names);
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP_STR char *path = path_join(dir, names.v[i]);
		look_at(s, path);
	}
}

void masks_own(const struct layout *l, int root, struct strv *ret)
{
	for (size_t i = 0; i < l->own.n; i++) {
		char *end;
		if (host_resolve(root, l->own.v[i], &end, NULL, NULL) == 0)
			strv_take(ret, end);
	}
	strv_sort_unique(ret);
}

int masks_file(const char *dir, char **ret, struct err *e)
{
	CLEANUP_STR char *path = path_join(dir, "masked");
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0);

	if (fd < 0)
		return err_errno(e, -errno, "making %s", path);
	*ret = steal_ptr(path);
	return 0;
}

static bool in_comment(const char *text, const char *at)
{
	while (at > text && at[-1] != '\n')
		at--;
	at += strspn(at, " \t");
	return *at == '#' || *at == ';' || (at[0] == '/' && at[1] == '/');
}

/* Whether @name stands in @text, whole, as a path or the end of one. */
static bool mentions(const char *text, const char *name)
{
	static const char goes_on[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-/";
	size_t n = strlen(name);

	for (const char *at = strstr(text, name); at; at = strstr(at + 1, name)) {
		bool begins = at == text || at[-1] == '/' || !strchr(goes_on, at[-1]);
		bool ends = !at[n] || !strchr(goes_on, at[n]);
		if (begins && ends && !in_comment(text, at))
			return true;
	}
	return false;
}

/* By its whole path, or by that below the bound directory: what stands before it may be understood.
 * A single word of the latter that could be any word is no name. */
static bool names_path(const struct scan *s, const char *text, const char *path)
{
	const struct provision *p = layout_find(s->l, path);
	const char *below = p && !streq(p->path, path) ? path + strlen(p->path) + 1 : "";

	return mentions(text, path) || (strpbrk(below, "/.") && mentions(text, below));
}

static bool names_key(const struct scan *s, const char *text, const char *key)
{
	if (names_path(s, text, key))
		return true;
	for (size_t i = 0; i < s->links.n; i++)
		if (streq(s->ends.v[i], key) && names_path(s, text, s->links.v[i]))
			return true;
	return false;
}

/* Takes off the foreign keys those that the file names. */
static void drop_named(struct scan *s, const char *file)
{
	CLEANUP_STR char *text = NULL;
	struct strv *keys = &s->foreign;
	size_t kept = 0;

	if (host_read(s->root, file, TEXT_MAX, &text, NULL) < 0)
		return;
	for (size_t i = 0; i < keys->n; i++) {
		if (names_key(s, text, keys->v[i]))
			free(keys->v[i]);
		else
			keys->v[kept++] = keys->v[i];
	}
	keys->n = kept;
	keys->v[kept] = NULL;
}

/* Single files of configuration are copies in the jail, by the manifest. */
static void add_copied(struct scan *s)
{
	for (size_t i = 0; i < s->m->n; i++) {
		const struct entry *en = &s->m->v[i];
		if (en->class == CLASS_CONFIG && S_ISREG(en->mode) && entry_is_held(en))
			strv_add(&s->texts, en->path);
	}
}

static void scan_done(struct scan *s)
{
	strv_done(&s->own);
	strv_done(&s->texts);
	strv_done(&s->links);
	strv_done(&s->ends);
	strv_done(&s->foreign);
}

bool masks_look_into(const struct provision *p)
{
	return !p->file && (p->class == CLASS_CONFIG || path_within(p->path, "/etc"));
}

void masks_find(const struct layout *l, const struct manifest *m, int root, struct strv *ret)
{
	struct scan s CLEANUP(scan_done) = {.l = l, .m = m, .root = root};

	masks_own(l, root, &s.own);
	for (size_t i = 0; i < l->n; i++) {
		if (masks_look_into(&l->v[i]))
			look_below(&s, l->v[i].path);
	}
	if (s.foreign.n)
		add_copied(&s);
	for (size_t i = 0; s.foreign.n && i < s.texts.n; i++)
		drop_named(&s, s.texts.v[i]);
	strv_add_all(ret, &s.foreign);
	strv_sort_unique(ret);
}
