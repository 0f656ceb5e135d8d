/* SPDX-License-Identifier: MIT */
#include "jail/refresh.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "fs/copy.h"
#include "fs/temp.h"
#include "host/host.h"
#include "host/places.h"
#include "jail/describe.h"
#include "jail/lay.h"
#include "jail/seal.h"

struct refresh {
	const struct generation *g;
	struct manifest *m;
	struct lay lay; /* from the host into the generation's tree */
	struct strv *renewed, *gone;
	size_t known; /* entries that were there before */
};

/* Files that go with the generation's libraries and accounts, not with what an administrator sets:
 * another one needs another build. */
static const char *const of_the_build[] = {
    "/etc/group",	  "/etc/gshadow",	"/etc/ld.so.cache", "/etc/ld.so.conf",
    "/etc/ld.so.preload", "/etc/nsswitch.conf", "/etc/passwd",	    "/etc/shadow",
};

static bool belongs_to_build(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(of_the_build); i++)
		if (streq(path, of_the_build[i]))
			return true;
	return path_within(path, "/etc/ld.so.conf.d");
}

bool refresh_takes(const struct entry *en)
{
	bool class = en->class == CLASS_CONFIG || en->class == CLASS_SECRET;

	return class && en->provided == PROVIDED_COPY && (S_ISREG(en->mode) || S_ISLNK(en->mode)) &&
	       !belongs_to_build(en->path);
}

/* A file that the service's user may not read has its size in the jail and no byte of its content
 * (lay_withheld()): that stays so. */
static bool is_withheld(int tree, const struct entry *en)
{
	char buf[4096];
	ssize_t n = 0;
	CLEANUP_FD int fd = beneath_open_nolink(tree, en->path, O_RDONLY | O_NONBLOCK, 0);

	if (fd < 0 || en->size == 0)
		return false;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			if (buf[i])
				return false;
	return true;
}

/* Hash and link anew, of what is at the entry's path below @root now. */
static int describe(struct entry *en, int root, struct err *e)
{
	struct manifest one = {.v = en, .n = 1};
	char link[PATH_MAX];
	struct stat st;
	int r = beneath_lstat(root, en->path, &st);

	if (r < 0)
		return err_errno(e, r, "looking at %s", en->path);
	entry_set_stat(en, &st);
	free(en->sha256);
	free(en->link);
	en->sha256 = en->link = NULL;
	if (S_ISLNK(st.st_mode) && beneath_readlink(root, en->path, link, sizeof(link)) == 0)
		en->link = xstrdup(link);
	return describe_hashes(root, &one, e);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? streq(a, b) : a == b;
}

/* Whether the host's file is another than the one that the manifest tells of. */
static int differs(const struct refresh *rf, const struct entry *en, struct err *e)
{
	struct entry now = {.path = en->path, .provided = PROVIDED_COPY};
	int r = describe(&now, rf->lay.source, e);
	bool same = r == 0 && now.mode == en->mode && now.uid == en->uid && now.gid == en->gid &&
		    now.size == en->size && now.mtime.tv_sec == en->mtime.tv_sec &&
		    now.mtime.tv_nsec == en->mtime.tv_nsec && same_text(now.sha256, en->sha256) &&
		    same_text(now.link, en->link);

	free(now.sha256);
	free(now.link);
	free(now.xattrs);
	return r < 0 ? r : !same;
}

/* copy_node() leaves a link that is there. */
static int replace_by_link(int src, const struct meta *m, int parent, const char *name)
{
	struct temp temp CLEANUP_TEMP = TEMP_INIT;
	char target[PATH_MAX];
	ssize_t n = readlinkat(src, "", target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	CLEANUP_FD int fd = temp_make(&temp, parent, S_IFLNK, target);
	int r = fd < 0 ? fd : meta_apply_fd(fd, m);
	return r == 0 ? temp_rename(&temp, name, 0) : r;
}

/* The host's file or link in the place of the old one, by one rename; the directory keeps its
 * times. */
static int put(const struct refresh *rf, const char *path)
{
	struct meta m CLEANUP_META = META_INIT, dir CLEANUP_META = META_INIT;
	CLEANUP_STR char *up = path_parent(path);
	CLEANUP_FD int src = beneath_open_nolink(rf->lay.source, path, O_PATH | O_NOFOLLOW, 0);
	CLEANUP_FD int parent = beneath_open_nolink(rf->lay.tree, up, O_PATH | O_DIRECTORY, 0);

	if (src < 0 || parent < 0)
		return src < 0 ? src : parent;
	int r = meta_read(src, &m);
	if (r == 0)
		r = meta_read(parent, &dir);
	if (r < 0)
		return r;
	r = S_ISLNK(m.st.st_mode) ? replace_by_link(src, &m, parent, path_base(path))
				  : copy_node(src, &m, parent, path_base(path));
	if (r >= 0) {
		const struct timespec times[2] = {dir.st.st_atim, dir.st.st_mtim};
		utimensat(parent, "", times, AT_EMPTY_PATH);
	}
	return r < 0 ? r : 0;
}

/* An entry for @path, which was laid just now because the link @from leads there. */
static int add_entry(struct refresh *rf, const char *path, const char *from, struct err *e)
{
	CLEANUP_STR char *text = xasprintf("%s leads there since a reload", from);
	struct stat st;

	for (size_t i = 0; i < rf->m->n; i++)
		if (streq(rf->m->v[i].path, path))
			return 0;
	struct entry *en = manifest_add(rf->m, path);
	en->provided = PROVIDED_COPY;
	int r = describe(en, rf->lay.tree, e);
	if (r < 0)
		return r;
	st = (struct stat){.st_mode = en->mode};
	en->class = seal_class(rf->lay.tree, path, &st);
	entry_add_reason(en, REASON_WAY, from, text);
	return 0;
}

/* @path of the host, canonical, and the directories on its way, where the jail lacks them. */
static int lay_new(struct refresh *rf, const char *path, const char *from, struct err *e)
{
	struct stat st;

	if (layout_find(&rf->g->layout, path) || place_kernel_tree(path) ||
	    beneath_lstat(rf->lay.tree, path, &st) == 0)
		return 0;
	int r = lay_path(&rf->lay, path, e);
	if (r != 0)
		return r < 0 ? r : 0;
	CLEANUP_STR char *step = xstrdup(path);
	while (r == 0 && step[1]) {
		r = add_entry(rf, step, from, e);
		char *up = path_parent(step);
		free(step);
		step = up;
	}
	return r;
}

/* What the link leads to now, through any others. */
static int follow(struct refresh *rf, const char *link, struct err *e)
{
	struct strv links CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *end = NULL;
	struct stat st;

	/* One that leads nowhere does so in the jail too. */
	if (host_resolve(rf->lay.source, link, &end, &st, &links) < 0 || !S_ISREG(st.st_mode))
		return 0;
	int r = 0;
	for (size_t i = 0; r == 0 && i < links.n; i++)
		r = lay_new(rf, links.v[i], link, e);
	return r == 0 ? lay_new(rf, end, link, e) : r;
}

static int renew(struct refresh *rf, size_t i, struct err *e)
{
	CLEANUP_STR char *path = xstrdup(rf->m->v[i].path); /* entries move when one is added */
	int r = -ESTALE;

	for (int n = 0; n < 5 && r == -ESTALE; n++) /* it is being written */
		r = put(rf, path);
	if (r < 0)
		return err_errno(e, r, "renewing %s in the jail", path);
	strv_add(rf->renewed, path);
	r = describe(&rf->m->v[i], rf->lay.tree, e);
	return r == 0 && S_ISLNK(rf->m->v[i].mode) ? follow(rf, path, e) : r;
}

static int refresh_one(struct refresh *rf, size_t i, struct err *e)
{
	const struct entry *en = &rf->m->v[i];
	struct stat st;

	if (!refresh_takes(en) || is_withheld(rf->lay.tree, en))
		return 0;
	int r = beneath_lstat(rf->lay.source, en->path, &st);
	if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP) {
		strv_add(rf->gone, en->path);
		return 0;
	}
	if (r < 0)
		return err_errno(e, r, "looking at %s", en->path);
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return 0;
	r = differs(rf, en, e);
	return r > 0 ? renew(rf, i, e) : r;
}

static int save(struct refresh *rf, struct err *e)
{
	CLEANUP_FD int dir = open(rf->g->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_errno(e, -errno, "opening %s", rf->g->dir);
	manifest_sort(rf->m);
	int r = manifest_save(rf->m, dir, e);
	return r == 0 ? generation_write_run(rf->g, rf->g->dir, e) : r;
}

int refresh_config(const struct generation *g, struct strv *renewed, struct strv *gone,
		   struct err *e)
{
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT;
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_STR char *root = path_join(g->dir, "root");
	struct refresh rf = {.g = g, .m = &m, .renewed = renewed, .gone = gone};
	size_t before = renewed->n;
	struct err first = {0};
	int r = manifest_load(g->dir, &m, e);

	if (r == 0)
		r = lay_open(&rf.lay, host, root, e);
	if (r < 0)
		return r;
	rf.known = m.n;
	for (size_t i = 0; r == 0 && i < rf.known; i++)
		r = refresh_one(&rf, i, &first);
	lay_close(&rf.lay);
	/* What was renewed is told also when a later one could not be. */
	int saved = renewed->n > before ? save(&rf, e) : 0;
	return r < 0 ? err_set(e, r, "%s", first.msg) : saved;
}
