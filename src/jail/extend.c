/* SPDX-License-Identifier: MIT */
#include "jail/extend.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "fs/newer.h"
#include "host/places.h"
#include "jail/describe.h"
#include "jail/doors.h"
#include "jail/foreseen.h"
#include "jail/lay.h"
#include "jail/made.h"
#include "jail/rebind.h"

struct extension {
	struct generation *g;
	const struct run *run;
	struct seal seal; /* what describes a path */
	struct foresight foresight;
	struct manifest m; /* sorted up to @known */
	size_t known;
	struct lay lay;
	struct strv *added;
};

/* The words of touch_kinds_text() that say that the bytes of a file were taken. */
static bool was_read(const char *used)
{
	static const char *const words[] = {"read", "exec", "interp"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strstr(used, words[i]))
			return true;
	return false;
}

/* What the runs before the seal read at the start. */
static void used_before(const struct manifest *m, bool direct, struct strv *ret)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct entry *en = &m->v[i];
		if (S_ISREG(en->mode) && en->used && en->phase &&
		    streq(en->phase, phase_name(PHASE_START)) && was_read(en->used) &&
		    !(direct && en->start_helper))
			strv_add(ret, en->path);
	}
}

static int look_ahead(struct extension *x, int host, struct err *e)
{
	struct strv used CLEANUP_STRV = STRV_INIT;
	struct who who CLEANUP_WHO = WHO_INIT;
	const struct generation *g = x->g;

	used_before(&x->m, g->direct.program != NULL, &used);
	if (x->run)
		who_look(&who, x->run);
	int r = foreseen_make(x->seal.spec, &g->direct, &used, &g->layout, &who, host,
			      &x->foresight, e);
	return r < 0 ? err_prefix(e, "foreseeing") : 0;
}

static bool is_known(const struct extension *x, const char *path)
{
	const struct manifest sorted = {.v = x->m.v, .n = x->known};

	if (manifest_find(&sorted, path))
		return true;
	for (size_t i = x->known; i < x->m.n; i++)
		if (streq(x->m.v[i].path, path))
			return true;
	return false;
}

static void tell(struct extension *x, const struct entry *en)
{
	CLEANUP_STR char *line = xasprintf("%s: %s", en->path, entry_reason(en));

	strv_add(x->added, line);
}

/* An entry for @path, which the tree has now, and for the directories on its way. */
static int add_entries(struct extension *x, const char *path, struct err *e)
{
	CLEANUP_STR char *step = xstrdup(path);

	while (step[1] && !is_known(x, step)) {
		int r = describe_path(&x->m, &x->seal, x->lay.tree, step);
		if (r < 0)
			return err_errno(e, r, "looking at %s in the jail", step);
		char *up = path_parent(step);
		free(step);
		step = up;
	}
	/* The directory that was there before has a name more and keeps its times. */
	if (!streq(step, path))
		strv_add(&x->lay.directories, step);
	return 0;
}

static int lay_files(struct extension *x, struct err *e)
{
	int r = 0;

	for (const struct node *n = x->foresight.evidence->first; r == 0 && n; n = n->next) {
		if (S_ISCHR(n->st.st_mode) || place_kernel_tree(n->path) ||
		    place_private_area(n->path) || layout_find(&x->g->layout, n->path) ||
		    is_known(x, n->path) || !foreseen_wanted(x->seal.spec, &x->foresight, n))
			continue;
		r = lay_path(&x->lay, n->path, e);
		if (r == 0)
			r = add_entries(x, n->path, e);
		else if (r > 0)
			r = 0; /* gone again */
	}
	return r;
}

/* Reasons are complete, and told, when all is there that a directory may be on the way to. */
static int describe_added(struct extension *x, struct err *e)
{
	struct strv paths CLEANUP_STRV = STRV_INIT;

	for (size_t i = x->known; i < x->m.n; i++)
		strv_add(&paths, x->m.v[i].path);
	if (!paths.n)
		return 0;
	manifest_sort(&x->m);
	describe_ways(&x->m);
	int r = made_renew(x->lay.tree, &x->m, &x->foresight, e);
	if (r == 0)
		r = describe_hashes(x->lay.tree, &x->m, e);
	for (size_t i = 0; r == 0 && i < paths.n; i++) {
		const struct entry *en = manifest_find(&x->m, paths.v[i]);
		if (!S_ISDIR(en->mode))
			tell(x, en);
	}
	return r;
}

/* --- directories --- */

static bool had(const struct layout *before, const char *path)
{
	for (size_t i = 0; i < before->n; i++)
		if (streq(before->v[i].path, path))
			return true;
	return false;
}

static int mount_one(struct extension *x, const struct provision *p, struct err *e)
{
	CLEANUP_STR char *line = xasprintf("%s: %s", p->path, p->why);
	int r = lay_point(&x->lay, p->path, p->file, e);

	if (r == 0 && !is_known(x, p->path))
		r = add_entries(x, p->path, e);
	if (r < 0)
		return r;
	r = x->run ? rebind_add(p, x->run) : 0;
	if (r < 0)
		return err_errno(e, r, "mounting %s in the jail", p->path);
	strv_add(x->added, line);
	return 0;
}

/* What the host has now of directories that the jail has no place for yet. */
static int mount_directories(struct extension *x, int host, struct err *e)
{
	const struct foresight *f = &x->foresight;
	struct layout before CLEANUP_LAYOUT = LAYOUT_INIT;
	json_t *copy = layout_to_json(&x->g->layout);
	int r = layout_from_json(&before, copy);

	json_decref(copy);
	if (r < 0)
		return err_errno(e, r, "reading back the layout");
	if (!layout_foresee(&x->g->layout, f->dirs, f->n_dirs, host))
		return 0;
	r = doors_check(x->seal.spec, &x->g->layout, e);
	for (size_t i = 0; r == 0 && i < x->g->layout.n; i++) {
		const struct provision *p = &x->g->layout.v[i];
		if (!had(&before, p->path) && !p->create)
			r = mount_one(x, p, e);
	}
	return r;
}

static int save(struct extension *x, struct err *e)
{
	CLEANUP_FD int dir = open(x->g->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = dir < 0 ? err_errno(e, -errno, "opening %s", x->g->dir) : 0;

	/* One that is as it was stays the store's, which other jails share. */
	if (r == 0 && (x->m.n != x->known || x->added->n))
		r = manifest_save(&x->m, dir, e);
	x->g->held = generation_cost(&x->m);
	return r == 0 ? generation_write_run(x->g, x->g->dir, e) : r;
}

static int carry_out(struct extension *x, int host, struct err *e)
{
	int r = look_ahead(x, host, e);

	if (r == 0)
		r = mount_directories(x, host, e);
	if (r == 0)
		r = lay_files(x, e);
	if (r == 0)
		r = describe_added(x, e);
	/* Also where nothing is new: extend_due() goes by the time of run.json. */
	return r == 0 ? save(x, e) : r;
}

/* --- whether to ask at all --- */

#define LOOK_MAX 20000 /* entries of one directory tree */

bool extend_due(const struct generation *g)
{
	CLEANUP_STR char *run = path_join(g->dir, "run.json");
	bool due = false;
	struct stat st;

	if (stat(run, &st) < 0)
		return false;
	for (size_t i = 0; i < g->layout.n && !due; i++) {
		const struct provision *p = &g->layout.v[i];
		size_t left = LOOK_MAX;
		CLEANUP_FD int dir = p->class == CLASS_CONFIG && !p->file
					 ? open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
					 : -1;
		due = dir >= 0 && newer_below(dir, &st.st_mtim, &left);
	}
	return due;
}

int extend_jail(struct generation *g, const struct spec *s, const struct run *run,
		struct strv *added, struct err *e)
{
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_STR char *root = path_join(g->dir, "root");
	struct record *none = record_new();
	struct extension x = {.g = g, .run = run, .added = added};
	int r = s->closure == CLOSURE_EXACT ? 0 : manifest_load(g->dir, &x.m, e);

	x.known = x.m.n;
	x.seal = (struct seal){.spec = s,
			       .layout = &g->layout,
			       .baseline = none,
			       .growth = none,
			       .foresight = &x.foresight};
	if (r == 0 && s->closure != CLOSURE_EXACT)
		r = lay_open(&x.lay, host, root, e);
	if (r == 0 && s->closure != CLOSURE_EXACT) {
		r = carry_out(&x, host, e);
		lay_close(&x.lay);
	}
	foresight_done(&x.foresight);
	manifest_done(&x.m);
	record_free(none);
	return r;
}
