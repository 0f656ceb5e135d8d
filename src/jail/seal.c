/* SPDX-License-Identifier: MIT */
#include "jail/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "host/places.h"
#include "jail/account.h"
#include "jail/describe.h"
#include "jail/foreseen.h"
#include "jail/helpers.h"
#include "jail/lay.h"
#include "jail/made.h"
#include "jail/mounts.h"

#define USED                                                                                       \
	(TOUCH_LOOK | TOUCH_READ | TOUCH_LIST | TOUCH_EXEC | TOUCH_INTERP | TOUCH_LINK |           \
	 TOUCH_WRITE | TOUCH_CONNECT | TOUCH_CHANGE)

enum jail_class seal_class(int root, const char *path, const struct stat *st)
{
	bool etc = path_within(path, "/etc");

	if (place_private_area(path))
		return CLASS_RUNTIME;
	if (evidence_secret(root, path, st))
		return CLASS_SECRET;
	return etc ? CLASS_CONFIG : CLASS_PROGRAM;
}

/* Whether the path was asked for by the service in a way that a jail must answer. Stand-ins of a
 * listing count outside program trees: a listing there is part of what was seen. But never in /tmp
 * and its kin, which each jail has for itself: what is in the host's is other people's. */
static bool wanted(const struct touch *t)
{
	if (!t->found || place_kernel_tree(t->path))
		return false;
	if (t->kinds & USED)
		return true;
	bool listed = t->kinds & TOUCH_LISTED;
	return listed && !place_program_tree(t->path) && !place_private_area(t->path);
}

static bool in_groups(const struct account *a, gid_t gid)
{
	for (size_t i = 0; i < a->n_groups; i++)
		if (a->groups[i] == gid)
			return true;
	return a->gid == gid;
}

static bool has_acl(int source, const char *path)
{
	char proc[40];
	CLEANUP_FD int fd = beneath_open_nolink(source, path, O_PATH | O_NOFOLLOW, 0);

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	return fd >= 0 && getxattr(proc, "system.posix_acl_access", NULL, 0) > 0;
}

/* Whether the service's user may read the file, by its mode; true where an ACL may say otherwise. A
 * service that starts as root, in whole or in part, may read everything. */
static bool readable(const struct seal *s, int source, const char *path)
{
	struct account a;
	struct stat st;

	if (!s->spec->user || s->spec->start_pre.n || beneath_lstat(source, path, &st) < 0 ||
	    !S_ISREG(st.st_mode) || account_of(s->spec, &a, NULL) < 0 || a.uid == 0)
		return true;
	unsigned bit = st.st_uid == a.uid ? S_IRUSR : in_groups(&a, st.st_gid) ? S_IRGRP : S_IROTH;
	return st.st_mode & bit || has_acl(source, path);
}

static int lay_record(struct lay *l, const struct seal *s, const struct record *record,
		      struct err *e)
{
	const struct touch *t;
	int r = 0;

	for (t = record ? record->touches : NULL; r >= 0 && t; t = t->hh.next) {
		bool left = s->spec->direct && record == s->baseline &&
			    helpers_has(s->baseline, s->growth, t->path);
		const struct provision *p = wanted(t) ? layout_find(s->layout, t->path) : NULL;
		if (wanted(t) && !p && !left)
			r = readable(s, l->source, t->path) ? lay_path(l, t->path, e)
							    : lay_withheld(l, t->path, e);
	}
	return r < 0 ? r : 0;
}

/* Paths that no run has touched, by the evidence for them. */
static int lay_evidence(struct lay *l, const struct seal *s, const struct evidence *ev,
			struct err *e)
{
	int r = 0;

	for (const struct node *n = ev->first; r >= 0 && n; n = n->next)
		if (!S_ISCHR(n->st.st_mode) && !place_kernel_tree(n->path) &&
		    !layout_find(s->layout, n->path) && foreseen_wanted(s->spec, s->foresight, n))
			r = lay_path(l, n->path, e);
	return r < 0 ? r : 0;
}

static int fill(struct lay *l, const struct seal *s, struct err *e)
{
	int r = mounts_points(l, s->layout, e);

	if (r == 0)
		r = lay_record(l, s, s->growth, e);
	if (r == 0)
		r = lay_record(l, s, s->baseline, e);
	if (r == 0)
		r = lay_evidence(l, s, s->foresight->evidence, e);
	if (r == 0 && s->packages)
		r = lay_evidence(l, s, s->packages, e);
	return r;
}

int seal_make(const struct seal *s, const char *dir, struct manifest *ret, struct err *e)
{
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_STR char *root = path_join(dir, "root");
	struct lay l;

	if (mkdir(root, 0755) < 0)
		return err_errno(e, -errno, "making %s", root);
	int r = lay_open(&l, host, root, e);
	if (r < 0)
		return r;
	r = fill(&l, s, e);
	if (r == 0 && s->own)
		r = user_files_lay(s->own, &l, s->layout, e);
	lay_times(&l);
	if (r == 0)
		r = describe_tree(s, l.tree, ret, e);
	if (r == 0) {
		if (s->own)
			user_files_describe(s->own, ret);
		manifest_sort(ret);
		r = made_write(l.tree, ret, s->foresight, e);
	}
	if (r == 0)
		r = describe_hashes(l.tree, ret, e);
	lay_close(&l);
	if (r < 0)
		return r;
	describe_beside(s, host, ret);
	manifest_sort(ret);
	describe_ways(ret);
	return 0;
}
