/* SPDX-License-Identifier: MIT */
#include "jail/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "fs/beneath.h"
#include "jail/proof.h"
#include "jail/state.h"

double trial_seconds(const struct twin_report *r)
{
	return r->start_s + r->exercise_s + r->stop_s;
}

int trial_run(const struct trial *tr, struct twin *t, const char *dir, struct twin_report *ret,
	      struct err *e)
{
	CLEANUP_STR char *path = NULL;
	int r = scratch_dir(tr->scratch, dir, &path, e);

	if (r < 0)
		return r;
	if (tr->progress)
		tr->progress(t->label);
	t->spec = tr->spec;
	t->scratch = path;
	t->cgroup = &tr->scratch->cgroup;
	t->probe = tr->probe;
	t->own = tr->own;
	r = twin_run(t, ret, e);
	CLEANUP_FD int parent = open(tr->scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	tree_remove(parent, dir); /* the world's layers; the rest goes with the scratch directory */
	return r;
}

/* How long it may try to get ready, in seconds. */
#define SCOUT_PATIENCE 10

/* With the host's network the very first run could act on real state outside. Which state that is,
 * a run apart from it tells. */
static int scout(const struct trial *tr, struct err *e)
{
	struct record *record CLEANUP_RECORD = record_new();
	struct twin_report rep CLEANUP_TWIN_REPORT = TWIN_REPORT_INIT;
	struct twin t = {
	    .kind = TWIN_NATIVE,
	    .label = "apart from the network",
	    .layout = tr->layout,
	    .record = record,
	    .derive = tr->layout,
	    .scout = true,
	    .patience = SCOUT_PATIENCE,
	};
	int r = trial_run(tr, &t, "scout", &rep, e);

	return r < 0 ? r : state_may_leave(tr->spec, tr->layout, tr->host, e);
}

int trial_first(const struct trial *tr, struct twin_report *ret, struct err *e)
{
	struct twin t = {
	    .kind = TWIN_NATIVE,
	    .label = "natively, watched",
	    .layout = tr->layout,
	    .record = tr->watched,
	    .derive = tr->layout,
	};
	/* What the spec names is there from the start: a unit's directories are made before it. */
	int r = layout_derive(tr->layout, NULL, tr->spec, tr->host, tr->host, e);
	if (r < 0)
		return r;
	r = state_in_use(tr->spec, tr->layout, NULL, e);
	if (r == 0 && tr->spec->net == NET_HOST)
		r = scout(tr, e);
	if (r < 0)
		return r;
	r = trial_run(tr, &t, "baseline", ret, e);
	if (r == 0)
		r = proof_native(tr, ret, e);
	/* A torn copy of what is in use explains a baseline that failed, and voids one that did
	 * not. */
	struct err torn = {0};
	if (!twin_interrupted && state_in_use(tr->spec, tr->layout, tr->watched, &torn) < 0)
		return err_set(e, torn.code, "%s", torn.msg);
	return r < 0 ? r : state_may_leave(tr->spec, tr->layout, tr->host, e);
}
