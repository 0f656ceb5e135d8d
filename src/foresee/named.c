/* SPDX-License-Identifier: MIT */
/* What a named path brings. A name is weak evidence: "/usr/share" in a configuration file is an
 * access rule more often than a wish. So files are taken, and directories by these rules, of which
 * the first that fits decides:
 *
 *   kernel, private   nothing: /proc, /dev, /run, /tmp are the jail's own
 *   everybody's       (/, /usr, /etc, /var/lib ...) nothing
 *   content           bound from the host, read-only
 *   data              below /var: bound, writable where the service's accounts may write
 *   another's         below /etc, of another package: nothing
 *   shared            several packages own it: only the files right in it that none of them owns
 *   own               one package or nobody owns it: taken whole, up to a size
 */
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "foresee/parts.h"
#include "host/host.h"
#include "host/places.h"

/* A directory of more files than this is no helper directory any more. */
#define TREE_MAX 2000

void foresee_dir(struct foresee *f, const char *path, bool writable, const char *text)
{
	struct foresight *out = f->out;

	for (size_t i = 0; i < out->n_dirs; i++)
		if (streq(out->dirs[i].path, path)) {
			out->dirs[i].writable |= writable;
			return;
		}
	out->dirs = xrealloc(out->dirs, out->n_dirs + 1, sizeof(*out->dirs));
	out->dirs[out->n_dirs++] = (struct foreseen_dir){xstrdup(path), writable, xstrdup(text)};
}

struct naming {
	struct foresee *f;
	const char *path; /* canonical */
	const struct stat *st;
	enum reason_kind kind;
	const char *from, *text;
};

static bool has_id(const id_t *ids, size_t n, id_t id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

bool foresee_may_write(const struct foresee_input *in, const struct stat *st)
{
	if (has_id(in->uids, in->n_uids, st->st_uid))
		return st->st_mode & S_IWUSR;
	return st->st_mode & S_IWGRP && has_id(in->gids, in->n_gids, st->st_gid);
}

/* A spool that is open to a group (/var/mail) and compiled into a program is for that program. */
static bool is_spool(const struct naming *n, const struct stat *st)
{
	return n->kind == REASON_COMPILED && st->st_uid == 0 && st->st_mode & S_ISGID &&
	       st->st_mode & S_IWGRP;
}

bool named_is_own(const struct foresee *f, const char *path)
{
	const struct packages *all = f->out->packages;
	const struct package *mine = f->program ? packages_owner(all, f->program) : NULL;

	return packages_owners(all, path) == 0 ||
	       (mine && packages_owned_from(all, path, mine->source));
}

static void take_one(const struct naming *n)
{
	evidence_take(n->f->ev, n->path, n->kind, n->from, "%s", n->text);
}

static void take_nothing(const struct naming *n)
{
	(void)n;
}

static void pass_everybody(const struct naming *n)
{
	evidence_pass(n->f->ev, n->path, "%s, but it is a directory of everybody", n->text);
}

/* Content as narrow as it is named: the directory, or the one that the file lies in. */
static void bind_content(const struct naming *n)
{
	CLEANUP_STR char *dir = S_ISDIR(n->st->st_mode) ? xstrdup(n->path) : path_parent(n->path);
	CLEANUP_STR char *content = place_content_at(dir, true);

	if (!S_ISDIR(n->st->st_mode) &&
	    (!content || evidence_secret(n->f->in->host, n->path, n->st)))
		take_one(n); /* of a secret that only notes it */
	else if (!content || place_never_whole(dir))
		pass_everybody(n);
	else
		foresee_dir(n->f, dir, false, n->text);
}

/* The directory that holds the data: the path itself, or its parent. */
static void bind_data(const struct naming *n)
{
	CLEANUP_STR char *dir = S_ISDIR(n->st->st_mode) ? xstrdup(n->path) : path_parent(n->path);
	struct stat st;
	CLEANUP_STR char *end = NULL;

	if (place_never_whole(dir) || host_resolve(n->f->in->host, dir, &end, &st, NULL) < 0) {
		evidence_pass(n->f->ev, n->path, "%s, in a directory of everybody", n->text);
		return;
	}
	bool roots = !n->f->in->n_uids && st.st_uid == 0 && named_is_own(n->f, dir);
	bool writable = foresee_may_write(n->f->in, &st) || is_spool(n, &st) || roots;
	/* A log that is not written to is no content either. */
	if (!writable && path_within(dir, "/var/log"))
		return;
	if (writable || named_is_own(n->f, dir))
		foresee_dir(n->f, dir, writable, n->text);
	else if (S_ISREG(n->st->st_mode))
		take_one(n);
	else
		evidence_pass(n->f->ev, n->path, "%s, but it is another package's data", n->text);
}

static void take_unowned(const struct naming *n)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	size_t taken = 0;

	host_names(n->f->in->host, n->path, &names);
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP_STR char *path = path_join(n->path, names.v[i]);
		struct stat st;
		CLEANUP_STR char *end = NULL;
		if (packages_owner(n->f->out->packages, path) ||
		    host_resolve(n->f->in->host, path, &end, &st, NULL) < 0 ||
		    !S_ISREG(st.st_mode) || !streq(end, path))
			continue;
		taken +=
		    evidence_take(n->f->ev, path, n->kind, n->from,
				  "%s as a directory, and no package owns it", n->text) != NULL;
	}
	evidence_pass(n->f->ev, n->path,
		      "%s, but %zu packages share it: only its %zu files that no package owns",
		      n->text, packages_owners(n->f->out->packages, n->path), taken);
}

static void pass_others(const struct naming *n)
{
	evidence_pass(n->f->ev, n->path, "%s, but it is another package's", n->text);
}

static void take_tree(const struct naming *n)
{
	evidence_take_tree(n->f->ev, n->path, TREE_MAX, NULL, n->kind, n->from, "%s", n->text);
}

static bool is_nowhere(const struct naming *n)
{
	bool device = S_ISCHR(n->st->st_mode) && path_within(n->path, "/dev");
	return !device && (place_kernel_tree(n->path) || place_private_area(n->path));
}

static bool is_file(const struct naming *n)
{
	return !S_ISDIR(n->st->st_mode);
}

static bool is_everybodys(const struct naming *n)
{
	return S_ISDIR(n->st->st_mode) &&
	       (place_never_whole(n->path) ||
		(place_shared_config(n->path) && path_depth(n->path) < 3));
}

static bool is_content(const struct naming *n)
{
	CLEANUP_STR char *dir = place_content_at(n->path, S_ISDIR(n->st->st_mode));
	return dir != NULL;
}

static bool is_data(const struct naming *n)
{
	return path_within(n->path, "/var");
}

static bool is_shared(const struct naming *n)
{
	return packages_owners(n->f->out->packages, n->path) > 1;
}

static bool is_others(const struct naming *n)
{
	return path_within(n->path, "/etc") && !named_is_own(n->f, n->path);
}

static bool is_anything(const struct naming *n)
{
	return n != NULL;
}

static const struct {
	bool (*fits)(const struct naming *n);
	void (*act)(const struct naming *n);
} rules[] = {
    {is_nowhere, take_nothing}, {is_everybodys, pass_everybody},
    {is_content, bind_content}, {is_data, bind_data},
    {is_file, take_one},	{is_others, pass_others},
    {is_shared, take_unowned},	{is_anything, take_tree},
};

void named_take(struct foresee *f, const char *path, enum reason_kind kind, const char *from,
		const char *text)
{
	CLEANUP_STR char *end = NULL;
	struct stat st;

	if (host_resolve(f->in->host, path, &end, &st, NULL) < 0)
		return;
	const struct naming n = {f, end, &st, kind, from, text};
	size_t i = 0;
	while (!rules[i].fits(&n))
		i++;
	rules[i].act(&n);
	/* The name itself may lead there through links. */
	if (!streq(end, path) && evidence_find(f->ev, end))
		evidence_take(f->ev, path, kind, from, "%s", text);
}
