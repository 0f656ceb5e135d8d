/* SPDX-License-Identifier: MIT */
/* The jail's tree is read-only for the service, so whoever changed it was root on the host; it is
 * walked by descriptors without following links all the same. The manifest is read first; then one
 * walk finds what it does not name. */
#include "jail/check.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "fs/dir.h"
#include "host/packages.h"
#include "jail/describe.h"
#include "jail/drift.h"
#include "jail/generation.h"
#include "jail/refresh.h"
#include "jail/running.h"
#include "jail/upgrade.h"

struct checking {
	const char *name;
	const struct generation *g;
	struct manifest manifest;
	int tree, host; /* O_PATH */
	bool deep;
	struct packages *packages; /* opened when the first drift is found */
	struct findings *ret;
};

static const char *const kinds[FINDING_KINDS] = {
    [FINDING_TAMPERED] = "tampered", [FINDING_DRIFT] = "drift", [FINDING_HYGIENE] = "hygiene",
    [FINDING_RESTART] = "restart",   [FINDING_NOTE] = "note",
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

/* Takes @text over. */
static void found(struct checking *c, enum finding_kind kind, const char *path, char *text)
{
	struct findings *f = c->ret;

	f->v = xrealloc(f->v, f->n + 1, sizeof(*f->v));
	f->v[f->n++] = (struct finding){.kind = kind, .path = xstrdup(path), .text = text};
}

/* --- the jail against its manifest --- */

static bool other_content(const struct checking *c, const struct entry *en, const struct stat *st)
{
	char hex[65];
	bool dated = st->st_size == en->size && st->st_mtim.tv_sec == en->mtime.tv_sec &&
		     st->st_mtim.tv_nsec == en->mtime.tv_nsec;

	if (!S_ISREG(en->mode) || (dated && !c->deep))
		return false;
	return st->st_size != en->size || !en->sha256 ||
	       describe_hash(c->tree, en->path, hex) < 0 || !streq(hex, en->sha256);
}

static bool other_target(const struct checking *c, const struct entry *en)
{
	char target[PATH_MAX];

	if (!S_ISLNK(en->mode) || !en->link)
		return false;
	return beneath_readlink(c->tree, en->path, target, sizeof(target)) < 0 ||
	       !streq(target, en->link);
}

static void check_entry(struct checking *c, const struct entry *en)
{
	struct stat st;
	const char *path = en->path;

	if (beneath_lstat(c->tree, path, &st) < 0)
		return found(c, FINDING_TAMPERED, path, xstrdup("is missing"));
	if ((st.st_mode ^ en->mode) & S_IFMT)
		return found(c, FINDING_TAMPERED, path,
			     xasprintf("is a %s, was sealed as a %s", mode_type(st.st_mode),
				       mode_type(en->mode)));
	if (!S_ISLNK(en->mode) && st.st_mode != en->mode)
		found(c, FINDING_TAMPERED, path,
		      xasprintf("has mode %04o, was sealed with %04o", st.st_mode & 07777,
				en->mode & 07777));
	if (st.st_uid != en->uid || st.st_gid != en->gid)
		found(c, FINDING_TAMPERED, path,
		      xasprintf("belongs to %u:%u, was sealed as %u:%u", st.st_uid, st.st_gid,
				en->uid, en->gid));
	if (other_content(c, en, &st) || other_target(c, en))
		found(c, FINDING_TAMPERED, path, xstrdup("has another content than was sealed"));
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
			found(c, FINDING_TAMPERED, child,
			      xstrdup("was not sealed: somebody put it there"));
		else if (S_ISDIR(en->mode))
			r = walk(c, child);
	}
	return r == -ENOTDIR || r == -ELOOP || r == -ENOENT ? 0 : r; /* told already */
}

/* --- the host against the manifest --- */

static char *since(const struct stat *st)
{
	long hours = (long)(time(NULL) - st->st_ctim.tv_sec) / 3600;

	return hours < 1 ? xstrdup("for less than an hour") : xasprintf("for %ld h", hours);
}

static void tell_drift(struct checking *c, const struct entry *en)
{
	struct stat st;

	if (beneath_lstat(c->host, en->path, &st) < 0)
		return found(c, FINDING_DRIFT, en->path, xstrdup("the host has it no more"));
	CLEANUP_STR char *how_long = since(&st);
	if (!c->packages)
		c->packages = packages_open(c->host, NULL);
	const struct package *p = packages_owner(c->packages, en->path);
	if (p && en->version && !streq(p->version, en->version))
		found(c, FINDING_DRIFT, en->path,
		      xasprintf("is of %s %s; the host has %s %s", p->name, en->version, p->version,
				how_long));
	else
		found(c, FINDING_DRIFT, en->path, xasprintf("is another on the host %s", how_long));
}

static void check_host(struct checking *c, const struct entry *en)
{
	if (drift_same_content(c->host, en))
		return;
	if (refresh_takes(en))
		found(c, FINDING_NOTE, en->path,
		      xasprintf("was edited on the host: immure reload %s takes it", c->name));
	else
		tell_drift(c, en);
}

/* The jail's passwd and group are cut to those whom it needs: these must be whom they were. */
static void check_accounts(struct checking *c)
{
	for (size_t i = 0; i < c->g->n_accounts; i++) {
		const struct account_need *a = &c->g->accounts[i];
		const struct passwd *pw = a->group ? NULL : getpwnam(a->name);
		const struct group *gr = a->group ? getgrnam(a->name) : NULL;
		bool there = pw || gr;
		id_t now = pw ? pw->pw_uid : gr ? gr->gr_gid : 0;
		const char *what = a->group ? "group" : "user";
		if (!there)
			found(
			    c, FINDING_DRIFT, "",
			    xasprintf("%s %s does not exist on the host any more", what, a->name));
		else if (now != a->id)
			found(c, FINDING_DRIFT, "",
			      xasprintf("%s %s is %u on the host, %u in the jail", what, a->name,
					now, a->id));
	}
}

/* --- what should not be there --- */

static void check_hygiene(struct checking *c, const struct entry *en)
{
	CLEANUP_STR char *right = xasprintf("set-id:%s", en->path);
	bool file = S_ISREG(en->mode);

	if (file && en->mode & (S_ISUID | S_ISGID) && !right_list_find(&c->g->policy, right) &&
	    en->mode & 0111)
		found(c, FINDING_NOTE, en->path,
		      xstrdup("is set-id, which gives nothing in this jail"));
	if (file && en->mode & S_IWOTH)
		found(c, FINDING_HYGIENE, en->path, xstrdup("may be written by anybody"));
	if (file && en->class == CLASS_SECRET && en->mode & S_IROTH)
		found(c, FINDING_HYGIENE, en->path, xstrdup("is a secret that anybody may read"));
	if (S_ISCHR(en->mode) || S_ISBLK(en->mode))
		found(c, FINDING_HYGIENE, en->path, xstrdup("is a device in the jail's files"));
}

static void check_running(struct checking *c, const struct dirs *d)
{
	struct running r;

	if (running_held(d, c->name) && running_read(d, c->name, &r) == 0 &&
	    r.generation != c->g->number)
		found(c, FINDING_RESTART, "",
		      xasprintf("runs generation %d, %d is current: immure restart %s takes it",
				r.generation, c->g->number, c->name));
}

static void check_update(struct checking *c, const struct dirs *d)
{
	char when[CLOCK_TEXT_MAX];

	if (upgrade_degraded(d, c->name, when))
		found(
		    c, FINDING_DRIFT, "",
		    xasprintf("its update has not been proved since %s: immure update %s says why",
			      when, c->name));
}

static int look(struct checking *c, const struct dirs *d, struct err *e)
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
	check_accounts(c);
	check_running(c, d);
	check_update(c, d);
	return r < 0 ? err_errno(e, r, "reading %s/root", c->g->dir) : 0;
}

int check_jail(const struct dirs *d, const char *name, bool deep, struct findings *ret,
	       struct err *e)
{
	struct generation g CLEANUP_GENERATION = GENERATION_INIT;
	int r = generation_load(d, name, &g, e);

	if (r < 0)
		return r;
	CLEANUP_STR char *root = path_join(g.dir, "root");
	CLEANUP_FD int tree = open(root, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (tree < 0)
		return err_errno(e, -errno, "opening %s", root);
	struct checking c = {
	    .name = name, .g = &g, .tree = tree, .host = host, .deep = deep, .ret = ret};
	r = manifest_load(g.dir, &c.manifest, e);
	if (r == 0)
		r = look(&c, d, e);
	manifest_done(&c.manifest);
	packages_free(c.packages);
	return r;
}
