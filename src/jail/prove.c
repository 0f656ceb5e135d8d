/* SPDX-License-Identifier: MIT */
#include "jail/prove.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "jail/require.h"

struct proving {
	const struct generation *g;
	const struct trial *trial;
	struct confinement confinement;
	struct twin_report first, native, jailed;
};

static int run_native(struct proving *p, struct err *e)
{
	struct twin t = {
	    .kind = TWIN_NATIVE,
	    .label = "natively",
	    .layout = &p->g->layout,
	    .listeners = &p->first.listeners,
	};
	return trial_run(p->trial, &t, "native", &p->native, e);
}

static int run_jailed(struct proving *p, struct err *e)
{
	CLEANUP_STR char *tree = path_join(p->g->dir, "root");
	struct twin t = {
	    .kind = TWIN_SEALED,
	    .label = "jailed",
	    .layout = &p->g->layout,
	    .tree = tree,
	    .manifest_dir = p->g->dir,
	    .confinement = &p->confinement,
	    .listeners = &p->first.listeners,
	    .direct = &p->g->direct,
	};
	int r = trial_run(p->trial, &t, "proof", &p->jailed, e);
	return r < 0 ? err_prefix(e, "in the jail") : 0;
}

static int carry_out(struct proving *p, struct proof_result *ret, struct err *e)
{
	const struct trial *tr = p->trial;
	int r = require_check(tr->spec, e);

	if (r == 0)
		r = confinement_take(p->g, tr->spec, &p->confinement, e);
	if (r == 0)
		r = trial_first(tr, &p->first, e);
	if (r == 0)
		r = run_native(p, e);
	if (r == 0)
		r = proof_native(tr, &p->native, e);
	if (r == 0)
		r = proof_stable(tr, &p->first, &p->native, e);
	if (r == 0)
		r = run_jailed(p, e);
	return r == 0 ? proof_compare(tr, &p->native, &p->jailed, ret, e) : r;
}

static void report(struct proving *p, struct prove_report *rep)
{
	rep->generation = p->g->number;
	rep->native_s = trial_seconds(&p->native);
	rep->jailed_s = trial_seconds(&p->jailed);
	rep->walls = p->jailed.walls;
	rep->n_walls = p->jailed.n_walls;
	p->jailed.walls = NULL;
	strv_add_all(&rep->refused, &p->jailed.refused);
	twin_unwell(&p->native, &p->jailed, &rep->unwell);
	require_missing(&rep->lacking);
	rep->probe = *p->trial->probe;
	*p->trial->probe = (struct probe)PROBE_INIT;
}

int prove_run(const struct dirs *d, const struct generation *g, const struct spec *s,
	      const struct scratch *scratch, trial_progress progress, struct prove_report *ret,
	      struct err *e)
{
	struct prove_report rep CLEANUP_PROVE_REPORT = PROVE_REPORT_INIT;
	struct record *watched CLEANUP_RECORD = record_new();
	struct layout layout = LAYOUT_INIT;
	struct probe probe = PROBE_INIT;
	struct user_files own CLEANUP_USER_FILES = USER_FILES_INIT;
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct trial trial = {
	    .spec = s,
	    .scratch = scratch,
	    .progress = progress,
	    .host = host,
	    .layout = &layout,
	    .watched = watched,
	    .own = &own,
	    .probe = &probe,
	};
	struct proving p = {.g = g, .trial = &trial, .confinement = CONFINEMENT_INIT};
	int r = user_files_open(d, s->name, &own, e);

	if (r == 0)
		r = carry_out(&p, &rep.proof, e);

	if (r == 0)
		report(&p, &rep);
	twin_report_done(&p.first);
	twin_report_done(&p.native);
	twin_report_done(&p.jailed);
	confinement_done(&p.confinement);
	layout_done(&layout);
	probe_done(&probe);
	if (r < 0)
		return r;
	*ret = rep;
	rep = (struct prove_report)PROVE_REPORT_INIT;
	return ret->proof.proved ? 0 : 1;
}

void prove_report_done(struct prove_report *r)
{
	proof_result_done(&r->proof);
	probe_done(&r->probe);
	free(r->walls);
	strv_done(&r->refused);
	strv_done(&r->unwell);
	strv_done(&r->lacking);
	*r = (struct prove_report)PROVE_REPORT_INIT;
}
