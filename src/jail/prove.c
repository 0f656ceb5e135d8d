/* SPDX-License-Identifier: MIT */
#include "jail/prove.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "jail/require.h"
#include "jail/state.h"

struct proving {
	const struct generation *g;
	const struct spec *spec;
	const struct scratch *scratch;
	build_progress progress;
	int host;
	struct record *watched;
	struct layout layout; /* of the watched run */
	struct probe probe;
	struct confinement confinement;
	struct twin_report first, native, jailed;
};

static double seconds(const struct twin_report *r)
{
	return r->start_s + r->exercise_s + r->stop_s;
}

static int run_twin(struct proving *p, struct twin *t, const char *dir, struct twin_report *ret,
		    struct err *e)
{
	CLEANUP_STR char *path = NULL;
	int r = scratch_dir(p->scratch, dir, &path, e);

	if (r < 0)
		return r;
	if (p->progress)
		p->progress(t->label);
	t->spec = p->spec;
	t->scratch = path;
	t->cgroup = &p->scratch->cgroup;
	t->probe = &p->probe;
	return twin_run(t, ret, e);
}

/* Watched, since what the default exercise consists of, and which steps reach the service at all,
 * is seen that way only. */
static int run_first(struct proving *p, struct err *e)
{
	struct twin t = {
	    .kind = TWIN_NATIVE,
	    .label = "natively, watched",
	    .layout = &p->layout,
	    .record = p->watched,
	    .derive = &p->layout,
	};
	int r = layout_derive(&p->layout, NULL, p->spec, p->host, p->host, e);

	if (r == 0)
		r = state_in_use(p->spec, &p->layout, NULL, e);
	return r < 0 ? r : run_twin(p, &t, "baseline", &p->first, e);
}

static int run_native(struct proving *p, struct err *e)
{
	struct twin t = {
	    .kind = TWIN_NATIVE,
	    .label = "natively",
	    .layout = &p->g->layout,
	    .listeners = &p->first.listeners,
	};
	return run_twin(p, &t, "native", &p->native, e);
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
	int r = run_twin(p, &t, "proof", &p->jailed, e);
	return r < 0 ? err_prefix(e, "in the jail") : 0;
}

static int carry_out(struct proving *p, struct proof_result *ret, struct err *e)
{
	const struct proof proof = {.spec = p->spec, .probe = &p->probe, .watched = p->watched};
	int r = require_check(p->spec, e);

	if (r == 0)
		r = confinement_take(p->g, p->spec, &p->confinement, e);
	if (r == 0)
		r = run_first(p, e);
	if (r == 0)
		r = proof_native(&proof, &p->first, e);
	if (r == 0)
		r = run_native(p, e);
	if (r == 0)
		r = proof_native(&proof, &p->native, e);
	if (r == 0)
		r = proof_stable(&proof, &p->first, &p->native, e);
	if (r == 0)
		r = run_jailed(p, e);
	return r == 0 ? proof_compare(&proof, &p->native, &p->jailed, ret, e) : r;
}

static void report(struct proving *p, struct prove_report *rep)
{
	rep->generation = p->g->number;
	rep->native_s = seconds(&p->native);
	rep->jailed_s = seconds(&p->jailed);
	rep->walls = p->jailed.walls;
	rep->n_walls = p->jailed.n_walls;
	p->jailed.walls = NULL;
	strv_add_all(&rep->refused, &p->jailed.refused);
	require_missing(&rep->lacking);
	rep->probe = p->probe;
	p->probe = (struct probe)PROBE_INIT;
}

int prove_run(const struct generation *g, const struct spec *s, const struct scratch *scratch,
	      build_progress progress, struct prove_report *ret, struct err *e)
{
	struct prove_report rep CLEANUP_PROVE_REPORT = PROVE_REPORT_INIT;
	struct proving p = {
	    .g = g,
	    .spec = s,
	    .scratch = scratch,
	    .progress = progress,
	    .host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC),
	    .watched = record_new(),
	    .confinement = CONFINEMENT_INIT,
	};
	int r = carry_out(&p, &rep.proof, e);

	if (r == 0)
		report(&p, &rep);
	twin_report_done(&p.first);
	twin_report_done(&p.native);
	twin_report_done(&p.jailed);
	confinement_done(&p.confinement);
	layout_done(&p.layout);
	probe_done(&p.probe);
	record_free(p.watched);
	fd_close(&p.host);
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
	strv_done(&r->lacking);
	*r = (struct prove_report)PROVE_REPORT_INIT;
}
