/* SPDX-License-Identifier: MIT */
/* The jail's tree is read-only for the service, so whoever changed it was root on the host; it is
 * walked by descriptors without following links all the same. The manifest is read first; then one
 * walk finds what it does not name. */
#include "jail/check-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "fs/dir.h"
#include "jail/behind.h"
#include "jail/describe.h"
#include "jail/drift.h"
#include "jail/refresh.h"

static const char *const kinds[FINDING_KINDS] = {
    [FINDING_CRITICAL] = "critical", [FINDING_TAMPERED] = "tampered", [FINDING_DRIFT] = "drift",
    [FINDING_HYGIENE] = "hygiene",   [FINDING_RESTART] = "restart",   [FINDING_POLICY] = "policy",
    [FINDING_NOTE] = "note",
};

const char *finding_kind_name(enum finding_kind k)
{
	return kinds[k];
}

bool findings_clean(const struct findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].kind != FINDING_NOTE)
			return false;
	return true;
}

void findings_done(struct findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].path);
		free(f->v[i].text);
	}
	free(f->v);
	*f = (struct findings){0};
}

void check_found(struct checking *c, enum finding_kind kind, const char *path, char *text)
{
	struct findings *f = c->ret;

	f->v = xrealloc(f->v, f->n + 1, sizeof(*f->v));
	f->v[f->n++] = (struct finding){.kind = kind, .path = xstrdup(path), .text = text};
}

/* --- the jail against its manifest --- */

static struct object *object_of(struct checker *all, int fd, const struct stat *st)
{
	const struct inode_key key = {st->st_dev, st->st_ino};
	struct object *o;

	HASH_FIND(hh, all->objects, &key, sizeof(key), o);
	if (o)
		return o;
	o = xcalloc(1, sizeof(*o));
	o->key = key;
	o->xattrs = describe_xattrs(fd);
	HASH_ADD(hh, all->objects, key, sizeof(o->key), o);
	return o;
}

static bool other_content(const struct checking *c, const struct entry *en, const struct stat *st,
			  struct object *o)
{
	bool dated = st->st_size == en->size && st->st_mtim.tv_sec == en->mtime.tv_sec &&
		     st->st_mtim.tv_nsec == en->mtime.tv_nsec;

	if (!S_ISREG(en->mode) || (dated && !c->all->deep))
		return false;
	if (st->st_size != en->size || !en->sha256)
		return true;
	if (!o->hashed)
		o->hashed = describe_hash(c->tree, en->path, o->sha256) == 0;
	return !o->hashed || !streq(o->sha256, en->sha256);
}

static void check_link(struct checking *c, const struct entry *en)
{
	char target[PATH_MAX] = "";

	if (!en->link || beneath_readlink(c->tree, en->path, target, sizeof(target)) < 0 ||
	    !streq(target, en->link))
		check_found(c, FINDING_TAMPERED, en->path,
			    xasprintf("leads to %s, was sealed leading to %s", target,
				      en->link ? en->link : "nothing"));
}

static void check_owner(struct checking *c, const struct entry *en, const struct stat *st)
{
	if (!S_ISLNK(en->mode) && st->st_mode != en->mode)
		check_found(c, FINDING_TAMPERED, en->path,
			    xasprintf("has mode %04o, was sealed with %04o", st->st_mode & 07777,
				      en->mode & 07777));
	if (st->st_uid != en->uid || st->st_gid != en->gid)
		check_found(c, FINDING_TAMPERED, en->path,
			    xasprintf("belongs to %u:%u, was sealed as %u:%u", st->st_uid,
				      st->st_gid, en->uid, en->gid));
}

static void check_file(struct checking *c, const struct entry *en, int fd, const struct stat *st)
{
	struct object *o = object_of(c->all, fd, st);
	const char *want = en->xattrs ? en->xattrs : "", *have = o->xattrs ? o->xattrs : "";

	if (other_content(c, en, st, o))
		check_found(c, FINDING_TAMPERED, en->path,
			    xstrdup("has another content than was sealed"));
	if (!streq(want, have))
		check_found(c, FINDING_TAMPERED, en->path,
			    xasprintf("has the attributes \"%.200s\", was sealed with \"%.200s\"",
				      have, want));
}

static void check_entry(struct checking *c, const struct entry *en)
{
	CLEANUP_FD int fd = beneath_open_nolink(c->tree, en->path, O_PATH | O_NOFOLLOW, 0);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return check_found(c, FINDING_TAMPERED, en->path, xstrdup("is missing"));
	if ((st.st_mode ^ en->mode) & S_IFMT)
		return check_found(c, FINDING_TAMPERED, en->path,
				   xasprintf("is a %s, was sealed as a %s", mode_type(st.st_mode),
					     mode_type(en->mode)));
	check_owner(c, en, &st);
	if (S_ISLNK(en->mode))
		check_link(c, en);
	else
		check_file(c, en, fd, &st);
}

/* What lies in the tree and is in no manifest. */
static int walk(struct checking *c, const char *path)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	CLEANUP_FD int fd = beneath_open_nolink(c->tree, path, O_RDONLY | O_DIRECTORY, 0);
	int r = fd < 0 ? fd : dir_names(fd, &names);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		CLEANUP_STR char *child = path_join(path, names.v[i]);
		const struct entry *en = manifest_find(&c->manifest, child);
		if (!en)
			check_found(c, FINDING_TAMPERED, child,
				    xstrdup("was not sealed: somebody put it there"));
		else if (S_ISDIR(en->mode))
			r = walk(c, child);
	}
	return r == -ENOTDIR || r == -ELOOP || r == -ENOENT ? 0 : r; /* told already */
}

/* --- the host against the manifest --- */

static void tell_drift(struct checking *c, const struct entry *en)
{
	struct checker *all = c->all;
	CLEANUP_STR char *how_long = behind_since(behind_hours(all->host, en->path));
	struct stat st;

	if (!all->packages)
		all->packages = packages_open(all->host, NULL);
	const struct package *p = en->package ? packages_find(all->packages, en->package) : NULL;
	bool newer = p && en->version && !streq(p->version, en->version);
	bool gone = beneath_lstat(all->host, en->path, &st) < 0;
	CLEANUP_STR char *of = newer ? xasprintf(": is of %s %s; the host has %s %s", p->name,
						 en->version, p->version, how_long)
				     : NULL;
	if (gone)
		check_found(c, FINDING_DRIFT, en->path,
			    xasprintf("the host has it no more%s", of ? of : ""));
	else if (of)
		check_found(c, FINDING_DRIFT, en->path, xstrdup(of + 2));
	else
		check_found(c, FINDING_DRIFT, en->path,
			    xasprintf("is another on the host %s", how_long));
}

static void check_host(struct checking *c, const struct entry *en)
{
	if (drift_same_content(c->all->host, en))
		return;
	if (refresh_takes(en))
		check_found(
		    c, FINDING_NOTE, en->path,
		    xasprintf("was edited on the host: immure reload %s takes it", c->name));
	else
		tell_drift(c, en);
}

/* --- what should not be there --- */

static void check_hygiene(struct checking *c, const struct entry *en)
{
	CLEANUP_STR char *right = xasprintf("set-id:%s", en->path);
	bool file = S_ISREG(en->mode);

	if (file && en->mode & (S_ISUID | S_ISGID) && !right_list_find(&c->g->policy, right) &&
	    en->mode & 0111)
		check_found(c, FINDING_NOTE, en->path,
			    xstrdup("is set-id, which gives nothing in this jail"));
	if (file && en->mode & S_IWOTH)
		check_found(c, FINDING_HYGIENE, en->path, xstrdup("may be written by anybody"));
	if (file && en->class == CLASS_SECRET && en->mode & S_IROTH)
		check_found(c, FINDING_HYGIENE, en->path,
			    xstrdup("is a secret that anybody may read"));
	if (S_ISCHR(en->mode) || S_ISBLK(en->mode))
		check_found(c, FINDING_HYGIENE, en->path,
			    xstrdup("is a device in the jail's files"));
}

static int look(struct checking *c, struct err *e)
{
	for (size_t i = 0; i < c->manifest.n; i++) {
		const struct entry *en = &c->manifest.v[i];
		if (!entry_is_held(en))
			continue;
		check_entry(c, en);
		check_host(c, en);
		check_hygiene(c, en);
	}
	int r = walk(c, "/");
	if (r == 0)
		return check_around(c, e);
	return r < 0 ? err_errno(e, r, "reading %s/root", c->g->dir) : 0;
}

int check_jail(struct checker *all, const char *name, struct findings *ret, struct err *e)
{
	struct generation g CLEANUP_GENERATION = GENERATION_INIT;
	int r = generation_load(all->dirs, name, &g, e);

	if (r < 0)
		return r;
	CLEANUP_STR char *root = path_join(g.dir, "root");
	CLEANUP_FD int tree = open(root, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tree < 0)
		return err_errno(e, -errno, "opening %s", root);
	struct checking c = {.all = all, .name = name, .g = &g, .tree = tree, .ret = ret};
	r = manifest_load(g.dir, &c.manifest, e);
	if (r == 0)
		r = look(&c, e);
	manifest_done(&c.manifest);
	return r;
}

struct checker *checker_new(const struct dirs *d, bool deep)
{
	struct checker *c = xcalloc(1, sizeof(*c));

	c->dirs = d;
	c->deep = deep;
	c->host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return c;
}

void checker_free(struct checker *c)
{
	struct object *o, *next;

	if (!c)
		return;
	HASH_ITER(hh, c->objects, o, next)
	{
		HASH_DEL(c->objects, o);
		free(o->xattrs);
		free(o);
	}
	packages_free(c->packages);
	fd_close(&c->host);
	free(c);
}
