/* SPDX-License-Identifier: MIT */
#include "jail/build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "host/places.h"
#include "jail/account.h"
#include "jail/drift.h"
#include "jail/hardening.h"
#include "jail/helpers.h"
#include "jail/log-use.h"
#include "jail/masks.h"
#include "jail/mounts.h"
#include "jail/require.h"
#include "jail/samples.h"
#include "jail/seal.h"
#include "jail/state.h"
#include "jail/store.h"
#include "jail/trial.h"
#include "jail/twin.h"
#include "jail/unreached.h"
#include "ld/library.h"

/* A growth that discovers a directory that must be mounted is run again with it mounted. */
#define MAX_GROWTHS 3

struct build {
	const struct dirs *dirs;
	const struct spec *spec;
	const struct scratch *scratch;
	trial_progress progress;
	struct record *baseline, *growth;
	struct layout layout;
	int host; /* O_PATH "/" */
	struct foresight foresight;
	struct evidence *packages; /* what Closure=package adds */
	struct cost package_cost;
	struct right_list policy;
	struct strv lacking; /* walls that this kernel cannot put up */
	struct confinement confinement;
	struct probe probe; /* the default exercise, when the spec has none */
	struct user_files own;
	struct twin_report first, grown, native, sealed; /* in the order in which they run */
	char *generation_dir;
};

static struct trial trial_of(struct build *b)
{
	return (struct trial){
	    .spec = b->spec,
	    .scratch = b->scratch,
	    .progress = b->progress,
	    .host = b->host,
	    .layout = &b->layout,
	    .watched = b->baseline,
	    .own = &b->own,
	    .probe = &b->probe,
	};
}

static int run_twin(struct twin *t, struct build *b, const char *dir, struct twin_report *ret,
		    struct err *e)
{
	const struct trial tr = trial_of(b);

	return trial_run(&tr, t, dir, ret, e);
}

/* Direct=yes: from here on the jail starts what the baseline's start ended in. */
static int settle_direct(struct build *b, struct err *e)
{
	struct command_set c CLEANUP_COMMAND_SET = COMMAND_SET_INIT;
	int r = b->spec->direct ? command_set_make(b->spec, &c, e) : 0;

	if (r == 0 && b->spec->direct)
		direct_settle(&b->first.direct, b->baseline, &c);
	return r == 0 && b->spec->direct
		   ? direct_check(&b->first.direct, &b->spec->environment_files, e)
		   : r;
}

static void count_helpers(const struct build *b, struct build_report *rep)
{
	const struct manifest *m = &rep->manifest;

	for (size_t i = 0; i < m->n; i++) {
		if (!m->v[i].start_helper || !entry_is_held(&m->v[i]) || !S_ISREG(m->v[i].mode))
			continue;
		rep->helpers.files++;
		rep->helpers.bytes += m->v[i].size;
	}
	if (rep->helpers.files)
		helpers_programs(b->baseline, &rep->wrappers);
}

/* What is foreseen from what the baseline read; its directories are mounted before the growth. */
static int look_ahead(struct build *b, struct err *e)
{
	struct foresight *f = &b->foresight;
	struct strv used CLEANUP_STRV = STRV_INIT;

	foreseen_used(b->baseline, b->first.direct.program != NULL, &used);
	int r = foreseen_make(b->spec, &b->first.direct, &used, &b->layout, &b->first.who, b->host,
			      f, e);
	if (r < 0)
		return err_prefix(e, "foreseeing");
	if (b->spec->closure != CLOSURE_EXACT)
		layout_foresee(&b->layout, f->dirs, f->n_dirs, b->host);
	if (foreseen_accounts_live(b->spec, f))
		layout_accounts(&b->layout, b->baseline, f->passwords, b->host,
				f->accounts_live ? f->accounts_live : "Accounts=live");
	b->layout.syslog = !log_use_serves(b->baseline);
	b->packages = evidence_new(b->host);
	foreseen_packages(f, b->baseline, b->packages, &b->package_cost);
	return 0;
}

static int run_growth(struct build *b, unsigned n, struct err *e)
{
	char name[32];
	CLEANUP_STR char *tree = NULL;

	snprintf(name, sizeof(name), "tree%u", n);
	int r = scratch_dir(b->scratch, name, &tree, e);
	if (r < 0)
		return r;
	record_free(b->growth);
	b->growth = record_new();
	twin_report_done(&b->grown);
	struct twin t = {
	    .kind = TWIN_GROW,
	    .label = "growing",
	    .layout = &b->layout,
	    .tree = tree,
	    .record = b->growth,
	    .listeners = &b->first.listeners,
	    .direct = &b->first.direct,
	    .written = b->baseline,
	    .derive = &b->layout,
	};
	snprintf(name, sizeof(name), "growth%u", n);
	return run_twin(&t, b, name, &b->grown, e);
}

/* What the unit's own hardening takes of what the runs did. */
static void find_narrowed(const struct build *b, struct strv *ret)
{
	hardening_conflicts(b->spec, &b->policy, ret);
	mounts_narrow_conflicts(b->spec, b->growth, b->host, ret);
}

/* @where, and what it lacks there that may be the cause. */
static int failed_in(const struct build *b, const char *where, struct err *e)
{
	struct strv causes CLEANUP_STRV = STRV_INIT;

	layout_withheld(&b->layout, &causes);
	find_narrowed(b, &causes);
	if (!causes.n)
		return err_prefix(e, "%s", where);
	/* Not permitted by the unit, not to us: it is the service's answer. */
	if (e && (e->code == -EACCES || e->code == -EPERM))
		e->code = -EREMOTEIO;
	return err_prefix(e, "%s, where %s", where, causes.v[0]);
}

static int grow(struct build *b, unsigned *ret_growths, struct err *e)
{
	for (unsigned n = 1;; n++) {
		int r = run_growth(b, n, e);
		if (r < 0)
			return failed_in(b, "in the growing jail", e);
		*ret_growths = n;
		if (b->grown.derived == 0 || n == MAX_GROWTHS)
			return 0;
		log_debug("%d directories were discovered late: growing again", b->grown.derived);
	}
}

static int write_generation(const struct build *b, const struct manifest *m, struct err *e)
{
	const struct evidence *ev = b->foresight.evidence;
	CLEANUP_STR char *text = spec_print(b->spec);
	struct left_out *left_out = xcalloc(ev->n_secrets + ev->n_passed + 1, sizeof(*left_out));
	for (size_t i = 0; i < ev->n_secrets; i++)
		left_out[i] = ev->secrets[i];
	for (size_t i = 0; i < ev->n_passed; i++)
		left_out[ev->n_secrets + i] = ev->passed[i];
	const struct generation g = {
	    .layout = b->layout,
	    .listeners = b->first.listeners,
	    .pid_files = b->grown.pid_files,
	    .forks = b->grown.forks,
	    .direct = b->first.direct,
	    .policy = b->policy,
	    .lacking = b->lacking,
	    .spec_text = text,
	    .steps = b->spec->exercise.n,
	    .held = generation_cost(m),
	    .accounts = b->foresight.accounts.v,
	    .n_accounts = b->foresight.accounts.n,
	    .left_out = left_out,
	    .n_left_out = ev->n_secrets + ev->n_passed,
	};
	CLEANUP_FD int dir = open(b->generation_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = manifest_save(m, dir, e);
	if (r == 0)
		r = generation_write(&g, b->generation_dir, e);
	if (r == 0)
		r = confinement_save(&b->confinement, dir, text, e);
	free(left_out); /* what it lists is the evidence's */
	return r;
}

/* Keys that the configuration names are the service's own, though no run has opened them. */
static void own_named_keys(struct build *b)
{
	const struct evidence *ev = b->foresight.evidence;

	for (size_t i = 0; i < ev->n_secrets; i++)
		if (ev->secrets[i].named && layout_find(&b->layout, ev->secrets[i].path))
			layout_own(&b->layout, ev->secrets[i].path);
}

/* What both runs needed, and what the spec adds. */
static int settle_policy(struct build *b, const struct manifest *m, struct err *e)
{
	struct library_files files CLEANUP(library_files_done) = {.root = b->host};
	bool root = false;

	policy_learn(&b->policy, b->baseline, b->growth);
	policy_places(&b->policy, &b->layout, b->baseline, b->growth);
	for (size_t i = 0; i < b->first.who.n_uids; i++)
		root |= b->first.who.uids[i] == 0;
	if (root && b->spec->closure != CLOSURE_EXACT)
		policy_foresee(&b->policy, b->baseline, &files);
	if (b->spec->closure != CLOSURE_EXACT) {
		policy_foresee_connects(&b->policy, m, &files);
		policy_foresee_proc(&b->policy);
	}
	return confinement_make(&b->policy, b->spec, &b->confinement, e);
}

/* In the growth there was one for whoever might want it. */
static void settle_syslog(struct build *b, const struct manifest *m)
{
	struct library_files files CLEANUP(library_files_done) = {.root = b->host};

	b->layout.syslog =
	    b->layout.syslog && (b->spec->syslog || log_use_seen(b->baseline) ||
				 log_use_seen(b->growth) || log_use_foreseen(m, &files));
}

static int seal(struct build *b, struct manifest *ret, struct err *e)
{
	const struct seal s = {
	    .spec = b->spec,
	    .layout = &b->layout,
	    .baseline = b->baseline,
	    .growth = b->growth,
	    .foresight = &b->foresight,
	    .own = &b->own,
	    .packages = b->spec->closure == CLOSURE_PACKAGE ? b->packages : NULL,
	};
	int r = scratch_dir(b->scratch, "generation", &b->generation_dir, e);

	own_named_keys(b);
	foreseen_drop_known(&b->foresight, b->growth, &b->layout);
	if (r == 0)
		r = seal_make(&s, b->generation_dir, ret, e);
	if (r == 0) {
		settle_syslog(b, ret);
		r = settle_policy(b, ret, e);
	}
	return r == 0 ? write_generation(b, ret, e) : r;
}

static int run_native(struct build *b, struct err *e)
{
	const struct trial p = trial_of(b);
	struct twin t = {
	    .kind = TWIN_NATIVE,
	    .label = "natively",
	    .layout = &b->layout,
	    .listeners = &b->first.listeners,
	};
	int r = run_twin(&t, b, "native", &b->native, e);
	return r < 0 ? r : proof_native(&p, &b->native, e);
}

static int run_sealed(struct build *b, struct err *e)
{
	CLEANUP_STR char *tree = path_join(b->generation_dir, "root");
	struct twin t = {
	    .kind = TWIN_SEALED,
	    .label = "jailed",
	    .layout = &b->layout,
	    .tree = tree,
	    .manifest_dir = b->generation_dir,
	    .confinement = &b->confinement,
	    .listeners = &b->first.listeners,
	    .direct = &b->first.direct,
	};
	int r = run_twin(&t, b, "proof", &b->sealed, e);

	return r == 0 ? 0 : failed_in(b, "in the sealed jail", e);
}

static bool always_root(const struct who *w)
{
	for (size_t i = 0; i < w->n_uids; i++)
		if (w->uids[i] != 0)
			return false;
	return w->n_uids > 0;
}

/* What does not get ready as in the proof, or in some seconds, does not answer as natively. */
#define OFFER_PATIENCE 3

/* A service that is root from the start to the end: what would it do where root is nobody? */
static int try_private_users(struct build *b, struct build_report *rep, struct err *e)
{
	CLEANUP_STR char *tree = path_join(b->generation_dir, "root");
	const struct trial p = trial_of(b);
	struct twin_report trial CLEANUP_TWIN_REPORT = TWIN_REPORT_INIT;
	struct proof_result result CLEANUP(proof_result_done) = {0};
	struct err failed = {0};
	struct twin t = {
	    .kind = TWIN_SEALED,
	    .label = "with PrivateUsers=yes",
	    .layout = &b->layout,
	    .tree = tree,
	    .manifest_dir = b->generation_dir,
	    .confinement = &b->confinement,
	    .private_users = true,
	    .patience = OFFER_PATIENCE + 4 * b->sealed.start_s,
	    .listeners = &b->first.listeners,
	    .direct = &b->first.direct,
	};

	if (b->spec->private_users || !rep->proof.proved || !always_root(&b->first.who))
		return 0;
	int r = run_twin(&t, b, "users", &trial, &failed);
	if (twin_interrupted)
		return err_set(e, -EINTR, "interrupted");
	if (r == 0)
		r = proof_compare(&p, &b->native, &trial, &result, &failed);
	rep->offer = r == 0 && result.proved ? OFFER_WORKS : OFFER_FAILS;
	return 0;
}

static void list_outside(const struct build *b, struct build_report *rep)
{
	const struct record *rec = b->baseline;

	unreached_peers(rec, &rep->peers);
	doors_find(rec, b->spec, &b->layout, b->foresight.packages, &rep->doors);
	rep->syslog = b->layout.syslog;
	for (const struct touch *t = rec->touches; t; t = t->hh.next) {
		if (!t->found && t->kinds & (TOUCH_MAKE | TOUCH_BIND) && t->made &&
		    path_within(t->path, "/run") && path_depth(t->path) == 2 &&
		    !layout_find(&b->layout, t->path) && !strv_has(&b->grown.pid_files, t->path))
			strv_add(&rep->private, t->path);
		if (!t->found && t->kinds &&
		    !(t->kinds & ~(TOUCH_LOOK | TOUCH_READ | TOUCH_EXEC | TOUCH_CONNECT)))
			strv_add(&rep->misses, t->path);
	}
	strv_sort_unique(&rep->misses);
}

static void list_rights(const struct build *b, struct build_report *rep)
{
	for (size_t i = 0; i < b->policy.n; i++) {
		const char *udp = str_after(b->policy.v[i].name, "udp:");
		if (udp && !streq(udp, "0"))
			strv_add(&rep->udp_ports, udp);
		if (!policy_is_port(b->policy.v[i].name) && !streq(b->policy.v[i].name, "proc"))
			strv_add(&rep->rights, b->policy.v[i].name);
	}
	strv_add_all(&rep->rights, &b->spec->rights);
	find_narrowed(b, &rep->narrowed);
	rep->connects = b->confinement.landlock.connect_any;
	strv_add_all(&rep->refused, &b->sealed.refused);
	twin_unwell(&b->native, &b->sealed, &rep->unwell);
	strv_add_all(&rep->lacking, &b->lacking);
}

/* Which rights and walls there are, the spec does not know. */
static int check_rights(const struct spec *s, struct err *e)
{
	struct hardening taken CLEANUP_HARDENING = HARDENING_INIT;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->rights.n; i++)
		r = policy_check_right(s->rights.v[i], e);
	if (r < 0)
		return err_prefix(e, "Rights=");
	r = hardening_of(s, NULL, &taken, e);
	return r == 0 ? require_check(s, e) : r;
}

static int carry_out(struct build *b, struct build_report *rep, struct err *e)
{
	const struct trial p = trial_of(b);
	int r = check_rights(b->spec, e);

	require_missing(&b->lacking);
	if (r == 0)
		r = trial_first(&p, &b->first, e);
	if (r == 0)
		r = settle_direct(b, e);
	if (r == 0)
		r = look_ahead(b, e);
	if (r == 0)
		r = grow(b, &rep->growths, e);
	if (r == 0)
		r = doors_check(b->spec, &b->layout, e);
	if (r == 0)
		r = seal(b, &rep->manifest, e);
	if (r == 0)
		r = run_native(b, e);
	if (r == 0)
		r = proof_stable(&p, &b->first, &b->native, e);
	if (r == 0)
		r = run_sealed(b, e);
	if (r == 0)
		r = proof_compare(&p, &b->native, &b->sealed, &rep->proof, e);
	if (r == 0)
		r = try_private_users(b, rep, e);
	if (r < 0)
		return r;
	list_outside(b, rep);
	count_helpers(b, rep);
	masks_find(&b->layout, &rep->manifest, b->host, &rep->masked);
	recall_measure(&rep->manifest, &b->foresight, &b->layout, &rep->recall);
	list_rights(b, rep);
	rep->package = b->package_cost;
	rep->live_accounts = foreseen_accounts_live(b->spec, &b->foresight);
	rep->baseline_s = trial_seconds(&b->first);
	rep->growth_s = trial_seconds(&b->grown);
	rep->native_s = trial_seconds(&b->native);
	rep->proof_s = trial_seconds(&b->sealed);
	rep->changed = true;
	return 0;
}

static void build_done(struct build *b)
{
	samples_drop(b->spec, b->scratch->path);
	record_free(b->baseline);
	record_free(b->growth);
	layout_done(&b->layout);
	probe_done(&b->probe);
	user_files_done(&b->own);
	twin_report_done(&b->first);
	twin_report_done(&b->grown);
	twin_report_done(&b->native);
	twin_report_done(&b->sealed);
	evidence_free(b->packages);
	foresight_done(&b->foresight);
	fd_close(&b->host);
	free(b->generation_dir);
	right_list_done(&b->policy);
	strv_done(&b->lacking);
	confinement_done(&b->confinement);
}

/* The directories that jail @name has as its state. */
static void state_of(const struct dirs *d, const char *name, struct strv *ret)
{
	struct generation g CLEANUP_GENERATION = GENERATION_INIT;

	if (generation_load(d, name, &g, NULL) < 0)
		return;
	for (size_t i = 0; i < g.layout.n; i++)
		if (g.layout.v[i].class == CLASS_STATE && g.layout.v[i].writable)
			strv_add(ret, g.layout.v[i].path);
}

/* What other jails have as their state is never taken as a whole. */
static void respect_others(const struct dirs *d, struct build *b)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	struct layout *l = &b->layout;

	jail_names(d, &names, NULL);
	for (size_t i = 0; i < names.n; i++) {
		bool own = streq(names.v[i], b->spec->name);
		state_of(d, names.v[i], own ? &l->had : &l->taken);
		while (l->takers.n < l->taken.n)
			strv_add(&l->takers, names.v[i]);
	}
}

/* What was proved is shared, no sooner: a build that fails or is ended leaves nothing in the store.
 * With the oldest generation go the files that only it had. */
static int publish(struct build *b, struct build_report *rep, struct err *e)
{
	struct store_size dropped;
	CLEANUP_STR char *root = path_join(b->generation_dir, "root");
	CLEANUP_FD int tree = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = store_share(b->dirs, tree, &rep->manifest, e);

	if (r == 0)
		r = store_share_beside(b->dirs, b->generation_dir, &rep->manifest, e);
	if (r == 0)
		r = generation_publish(b->dirs, b->spec->name, b->generation_dir, &rep->generation,
				       e);

	if (r == 0)
		store_collect(b->dirs, false, &dropped, NULL);
	return r;
}

int build_run(const struct dirs *d, const struct spec *s, const struct scratch *scratch,
	      trial_progress progress, struct build_report *ret, struct err *e)
{
	struct build b = {.dirs = d,
			  .spec = s,
			  .scratch = scratch,
			  .progress = progress,
			  .own = USER_FILES_INIT,
			  .baseline = record_new()};
	b.host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct build_report rep = BUILD_REPORT_INIT;
	respect_others(d, &b);
	int r = user_files_open(d, s->name, &b.own, e);
	if (r == 0)
		r = carry_out(&b, &rep, e);

	if (r == 0 && rep.proof.proved)
		r = publish(&b, &rep, e);
	if (r == 0) {
		layout_withheld(&b.layout, &rep.withheld);
		rep.layout = b.layout;
		b.layout = (struct layout)LAYOUT_INIT;
		rep.foresight = b.foresight;
		b.foresight = (struct foresight)FORESIGHT_INIT;
		strv_add_all(&rep.listeners, &b.first.listeners);
		strv_add_all(&rep.pid_files, &b.grown.pid_files);
		build_same_user(d, s, &rep.same_user);
		rep.probe = b.probe;
		b.probe = (struct probe)PROBE_INIT;
		r = rep.proof.proved ? 0 : 1;
	}
	build_done(&b);
	if (r < 0)
		build_report_done(&rep);
	else
		*ret = rep;
	return r;
}

void build_report_done(struct build_report *r)
{
	proof_result_done(&r->proof);
	manifest_done(&r->manifest);
	layout_done(&r->layout);
	foresight_done(&r->foresight);
	recall_done(&r->recall);
	strv_done(&r->listeners);
	strv_done(&r->peers);
	doors_done(&r->doors);
	strv_done(&r->private);
	strv_done(&r->pid_files);
	strv_done(&r->masked);
	strv_done(&r->wrappers);
	strv_done(&r->rights);
	strv_done(&r->udp_ports);
	strv_done(&r->narrowed);
	strv_done(&r->withheld);
	strv_done(&r->refused);
	strv_done(&r->unwell);
	strv_done(&r->lacking);
	strv_done(&r->same_user);
	probe_done(&r->probe);
	strv_done(&r->misses);
	*r = (struct build_report)BUILD_REPORT_INIT;
}

/* The user whom a jail's service is outside, or 0 where it has none of its own. */
static uid_t user_of(const struct spec *s)
{
	struct account a;

	return s->private_users || account_of(s, &a, NULL) < 0 ? 0 : a.uid;
}

void build_same_user(const struct dirs *d, const struct spec *s, struct strv *ret)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	uid_t own = user_of(s);

	jail_names(d, &names, NULL);
	for (size_t i = 0; own && i < names.n; i++) {
		struct generation g CLEANUP_GENERATION = GENERATION_INIT;
		struct spec *other CLEANUP_SPEC = NULL;
		if (!streq(names.v[i], s->name) && generation_load(d, names.v[i], &g, NULL) == 0 &&
		    generation_spec(&g, names.v[i], &other, NULL) == 0 && user_of(other) == own)
			strv_add(ret, names.v[i]);
	}
}

/* By this version of immure. */
static bool walls_compiled(const struct generation *g)
{
	struct confinement walls CLEANUP_CONFINEMENT = CONFINEMENT_INIT;
	CLEANUP_FD int dir = open(g->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return confinement_load(dir, g->spec_text, &walls, NULL) == 0;
}

int build_unchanged(const struct dirs *d, const struct spec *s, int *ret_number, struct err *e)
{
	struct generation g CLEANUP_GENERATION = GENERATION_INIT;
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT;
	struct strv came CLEANUP_STRV = STRV_INIT;
	struct user_files own CLEANUP_USER_FILES = USER_FILES_INIT;
	CLEANUP_STR char *text = spec_print(s);
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (!generation_number(d, s->name))
		return 0;
	int r = generation_load(d, s->name, &g, e);
	if (r < 0)
		return r;
	if (!streq(text, g.spec_text))
		return 0;
	r = manifest_load(g.dir, &m, e);
	if (r == 0)
		r = user_files_open(d, s->name, &own, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < m.n; i++)
		if (!drift_same(host, &m.v[i]))
			return 0;
	require_came(&g.lacking, &came);
	if (came.n || !walls_compiled(&g) || !user_files_same(&own, &m, NULL))
		return 0;
	*ret_number = g.number;
	return 1;
}
