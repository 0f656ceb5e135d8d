/* SPDX-License-Identifier: MIT */
#include "jail/twin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "confine/calls-policy.h"
#include "confine/enter.h"
#include "confine/refusals.h"
#include "confine/run.h"
#include "confine/users.h"
#include "fs/beneath.h"
#include "grow/filter.h"
#include "grow/supervisor.h"
#include "jail/command.h"
#include "jail/errand.h"
#include "jail/helpers.h"
#include "jail/lay.h"
#include "jail/mounts.h"
#include "jail/output.h"
#include "jail/passed.h"
#include "jail/pid-files.h"
#include "jail/reach.h"
#include "jail/ready.h"
#include "jail/samples.h"
#include "jail/tell.h"
#include "jail/unreached.h"
#include "keep/logging.h"
#include "world/log.h"
#include "world/world.h"

/* Where the exercise sees the jail: in the world's own /dev, which is nobody else's. */
#define JAIL_PREFIX "/dev/.jail"

/* The socket that the jail meets at /dev/log, "log" in that directory. */
#define LOG_DIR "/dev/.syslog"

/* How long a twin may take to stop before it is killed, in milliseconds. */
#define LEARNING_PATIENCE 5000
#define PATIENCE	  1500

/* And a command around its stop. */
#define ERRAND_PATIENCE 10000

volatile int twin_interrupted;

struct stage {
	const struct twin *t;
	struct world world;
	struct run run;
	struct command_set commands;
	struct plan plan;
	struct sock_fprog filter;
	struct supervisor *supervisor;
	struct refusals *refusals; /* of a confined twin */
	time_t since;
	char *last_words;	/* what the service printed, where that explains an error */
	int jail;		/* O_PATH, the jail's root as the service sees it */
	int output;		/* the service's standard output and error, a file */
	int printed;		/* the same for reading: not the service's */
	struct passed passed;	/* sockets that it is handed */
	struct strv at_rest;	/* programs that ran when it was ready */
	int users;		/* a user namespace of its own, or -1 */
	struct log_nowhere log; /* of a jail: of the kind that the running one has */
};

static int open_output(struct stage *s, struct err *e)
{
	CLEANUP_STR char *path = path_join(s->t->scratch, "output");
	s->output = open(path, O_WRONLY | O_CREAT | O_APPEND | O_EXCL | O_CLOEXEC, 0600);
	s->printed = s->output < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	return s->printed < 0 ? err_errno(e, -errno, "making %s", path) : 0;
}

static int attach_tree(struct stage *s, struct err *e)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;

	s->plan.root = open_tree(AT_FDCWD, s->t->tree, flags);
	return s->plan.root < 0 ? err_errno(e, -errno, "taking hold of %s", s->t->tree) : 0;
}

/* The mount points of a growth stand in its tree before anything is mounted. */
static int lay_mount_points(struct stage *s, struct err *e)
{
	struct lay lay;
	int r = lay_open(&lay, s->world.root, s->t->tree, e);

	if (r < 0)
		return r;
	r = mounts_points(&lay, s->t->layout, e);
	lay_close(&lay);
	return r;
}

/* The overlays of a world cannot be mapped (EINVAL, Linux 6.18): here each user is himself. What is
 * tried is all the same that the service gets on without rights over the host's namespaces. */
static int take_users(struct stage *s, struct err *e)
{
	s->plan.user_ns = s->users = users_make(0, e);
	return s->users < 0 ? s->users : 0;
}

/* Natively a service meets the world's own. A jail's is of the kind, and in the place, that its
 * spec says: what is proved is what will run. */
static int take_log(struct stage *s, struct err *e)
{
	const struct spec *spec = s->t->spec;
	bool by_daemon = logging_is_daemon(spec->syslog);

	if (!s->t->layout->syslog || logging_is_none(spec->syslog))
		return 0;
	int r = log_nowhere_open(&s->log, spec->syslog_socket == LOG_STREAM);
	if (r == 0)
		r = log_nowhere_place(&s->log, s->world.root, LOG_DIR);
	if (r < 0)
		return err_errno(e, r, "making the jail's /dev/log");
	logging_mount(&s->plan, by_daemon ? LOG_DIR : LOG_DIR "/log", by_daemon);
	return 0;
}

static int make_plan(struct stage *s, struct err *e)
{
	struct plan *p = &s->plan;
	const struct twin *t = s->t;

	plan_init(p);
	p->mnt_ns = s->world.mnt_ns;
	p->net_ns = s->world.net_ns;
	p->ipc_ns = s->world.ipc_ns;
	p->uts_ns = s->world.uts_ns;
	command_set_plan(&s->commands, t->spec, p);
	int r = passed_open(t->spec, s->world.net_ns, s->world.root, &s->passed, e);
	if (r < 0)
		return r;
	passed_plan(&s->passed, t->spec, &s->commands.env, p);
	p->stdio[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	p->stdio[1] = p->stdio[2] = s->output;
	p->cgroup = t->cgroup;
	p->filter = t->record ? &s->filter : NULL;
	p->tell_walls = t->confinement != NULL;
	p->stays = errands_stay(t->spec) && !t->scout;
	r = t->confinement ? confinement_apply(t->confinement, p, e) : 0;
	if (r == 0 && t->confinement && (t->spec->private_users || t->private_users))
		r = take_users(s, e);
	if (r < 0 || t->kind == TWIN_NATIVE)
		return r;
	p->root_at = JAIL_PREFIX;
	r = t->kind == TWIN_GROW ? lay_mount_points(s, e) : 0;
	if (r == 0)
		r = attach_tree(s, e);
	if (r < 0)
		return r;
	r = t->kind == TWIN_GROW
		? mounts_growth(p, t->layout, s->world.root, e)
		: mounts_sealed(p, t->layout, t->manifest_dir, t->spec, s->world.root, e);
	return r == 0 ? take_log(s, e) : r;
}

static int supervise(struct stage *s, struct err *e)
{
	struct strv own CLEANUP_STRV = STRV_INIT;

	if (s->t->confinement) {
		struct refusal_answers answers;
		const struct listens listens = listens_of(s->t->confinement->walls.landlock);
		seccomp_answers(&answers);
		return refusals_start(take_fd(&s->run.listener), &answers, &listens, &s->refusals,
				      e);
	}
	if (!s->t->record)
		return 0;
	if (s->t->kind == TWIN_GROW) {
		s->jail = run_root(&s->run);
		if (s->jail < 0)
			return err_errno(e, -errno, "taking hold of the jail");
		for (size_t i = 0; i < s->plan.mounts.n; i++)
			strv_add(&own, s->plan.mounts.v[i].target);
	}
	const struct supervisor_config c = {
	    .listener = take_fd(&s->run.listener),
	    .world = s->world.root,
	    .jail = s->jail,
	    .own_mounts = &own,
	    .record = s->t->record,
	    .scratch = s->t->scratch,
	    .init = s->run.init_fd,
	};
	return supervisor_start(&c, &s->supervisor, e);
}

static int start(struct stage *s, struct err *e)
{
	const struct twin *t = s->t;
	bool outside = t->spec->net == NET_HOST && !t->scout;
	enum world_net net = outside ? WORLD_NET_HOST : WORLD_NET_PRIVATE;
	int r = command_set_make(t->spec, &s->commands, e);

	if (r == 0 && t->direct)
		direct_apply(t->direct, &s->commands);

	if (r == 0)
		r = world_open(t->scratch, net, &s->world, e);
	if (r == 0)
		r = samples_put(t->spec, &s->world, t->scratch, e);
	if (r == 0 && t->own)
		r = user_files_put(t->own, s->world.root, e);
	if (r == 0 && t->layout)
		r = layout_create(t->layout, s->world.root, NULL, e);
	if (r == 0)
		r = open_output(s, e);
	if (r == 0)
		r = make_plan(s, e);
	if (r == 0 && t->record)
		r = filter_make(&s->filter, t->derive && t->kind == TWIN_NATIVE, e);
	s->since = time(NULL);
	if (r == 0)
		r = run_start(&s->plan, &s->run, e);
	if (r == 0)
		r = supervise(s, e);
	return r == 0 ? run_wait_exec(&s->run, t->spec->timeout_start, e) : r;
}

static int died(struct stage *s, struct err *e)
{
	char how[64] = "";

	s->last_words = output_tail(s->printed);
	if (s->run.main_exited && WIFSIGNALED(s->run.main_status))
		snprintf(how, sizeof(how), " by signal %d", WTERMSIG(s->run.main_status));
	else if (s->run.main_exited)
		snprintf(how, sizeof(how), " with exit status %d", WEXITSTATUS(s->run.main_status));
	return err_set(e, -ECHILD, "the service ended%s before it was ready (%s)", how,
		       s->t->label);
}

static int not_ready(struct stage *s, double waited, struct err *e)
{
	const char *ready = s->t->spec->ready;

	s->last_words = output_tail(s->printed);
	return err_set(e, -ETIME, "the service was not ready after %.0f s (%s)%s%s", waited,
		       s->t->label, ready ? ": the ready command never succeeded: " : "",
		       ready ? ready : "");
}

static void list_refused(const struct stage *s, struct strv *ret)
{
	struct refusal v[REFUSALS_MAX];
	unsigned long total;
	char name[32];
	size_t n = s->refusals ? refusals_look(s->refusals, v, &total) : 0;

	for (size_t i = 0; i < n; i++)
		strv_take(ret,
			  xasprintf("%s(), %lu time%s", refusal_name(&v[i], name, sizeof(name)),
				    v[i].n, v[i].n == 1 ? "" : "s"));
}

/* Adds to the error of a service that failed what it looked for in vain, and its last words. The
 * record is to be looked at only when nobody writes it any more. */
static int explain(const struct stage *s, int r, struct err *e)
{
	const char *words = s->last_words;
	struct strv refused CLEANUP_STRV = STRV_INIT;

	list_refused(s, &refused);
	CLEANUP_STR char *tried = s->t->record ? unreached_text(s->t->record) : xstrdup("");
	CLEANUP_STR char *what = e ? xstrdup(e->msg) : NULL;

	if (!what)
		return r;
	return err_set(e, r, "%s%s%s%s; %s%s", what, tried,
		       refused.n ? "; its filter refused " : "", refused.n ? refused.v[0] : "",
		       words[0] ? "its last output:\n" : "it printed nothing", words);
}

static struct place place_of(struct stage *s, const struct twin_report *rep)
{
	return (struct place){
	    .world = &s->world,
	    .cgroup = s->t->cgroup,
	    .run = &s->run,
	    .supervisor = s->supervisor,
	    .listeners = rep ? &rep->listeners : NULL,
	    .since = s->since,
	    .root = s->t->kind == TWIN_NATIVE ? "" : JAIL_PREFIX,
	    .environment = &s->t->spec->exercise_environment,
	    .timeout = s->t->spec->exercise_timeout,
	};
}

/* One try of the ready command; 1 when it succeeded. */
static int ask_ready(struct stage *s, double left, struct err *e)
{
	struct place p = place_of(s, NULL);
	struct outcome o;

	if (p.timeout > left)
		p.timeout = left;
	int r = exercise_run(&p, s->t->spec->ready, s->t->scratch, &o, e);
	if (r < 0)
		return r;
	bool good = !o.timed_out && o.status == 0;
	outcome_done(&o);
	return good;
}

/* How long a wrapper may watch over a service that is ready already, in seconds. */
#define WRAPPER_PATIENCE 5

/* A start is not over before its first process is, where that is what Type= says. */
static bool starts_still(const struct stage *s, double rested)
{
	return s->t->spec->type == TYPE_FORKING && !s->run.main_exited &&
	       !(s->t->direct && s->t->direct->program) && clock_now() < rested + WRAPPER_PATIENCE;
}

static int wait_ready(struct stage *s, struct err *e)
{
	struct rest rest CLEANUP(rest_done) = {0};
	double rested = 0; /* since when */
	double limit = s->t->spec->timeout_start > 0 ? s->t->spec->timeout_start : 1e9;
	double begin = clock_now();

	if (s->t->patience > 0 && limit > s->t->patience)
		limit = s->t->patience;
	for (;;) {
		if (twin_interrupted)
			return err_set(e, -EINTR, "interrupted");
		bool gone = run_poll(&s->run, READY_TICK_MS);
		command_forgive(s->t->spec, &s->run);
		if (gone || !run_alive(&s->run))
			return died(s, e);
		if (s->run.main_exited && s->run.main_status != 0 &&
		    s->t->spec->type != TYPE_ONESHOT)
			return died(s, e);
		if (rested && !starts_still(s, rested))
			return 0;
		if (rested)
			continue;
		int r = s->t->spec->ready ? ask_ready(s, limit, e)
					  : rest_look(&rest, &s->run, s->t->listeners,
						      supervisor_calls(s->supervisor));
		if (r < 0)
			return r;
		rested = r ? clock_now() : 0;
		if (clock_now() - begin > limit)
			return not_ready(s, limit, e);
	}
}

/* How long after the end of a step the service may take to notice it, and how often it is asked. */
#define NOTICE_MS 100
#define LOOK_MS	  5

static bool is_baseline(const struct stage *s)
{
	return s->t->derive && s->t->kind == TWIN_NATIVE;
}

static int never_reached(const struct stage *s, size_t i, const struct strv *doors, struct err *e)
{
	CLEANUP_STR char *first = xstrdup(doors->n ? doors->v[0] : "nothing");

	return err_set(e, -EREMOTEIO,
		       "exercise step %zu (%s) never reached the service: during it no process of "
		       "it accepted, received or read anything. Does the step talk to another "
		       "address or port, or to a socket whose path lacks $IMMURE_ROOT? The service "
		       "listens on %s%s",
		       i + 1, s->t->spec->exercise.v[i], str_printable(first),
		       doors->n > 1 ? " and others" : "");
}

/* A step that nobody heard proves nothing. Only the baseline is asked: it is watched. */
static int check_reached(struct stage *s, const struct reach *before, size_t i,
			 const struct twin_report *rep, struct err *e)
{
	long end = clock_ms() + NOTICE_MS;

	do {
		if (reach_seen(before, &s->run, supervisor_calls(s->supervisor)))
			return 0;
		run_poll(&s->run, LOOK_MS);
	} while (clock_ms() < end);
	return never_reached(s, i, &rep->listeners, e);
}

static int command_step(struct stage *s, const struct place *p, size_t i, struct twin_report *rep,
			struct err *e)
{
	struct reach before CLEANUP_REACH = {0};

	if (is_baseline(s))
		reach_begin(&before, &s->run, supervisor_calls(s->supervisor));
	int r = exercise_run(p, s->t->spec->exercise.v[i], s->t->scratch, &rep->steps[i], e);
	if (r < 0)
		return r;
	rep->n_steps = i + 1;
	/* Whatever else is wrong with a step is the better message. */
	for (size_t k = 0; k <= i; k++)
		if (rep->steps[k].status != 0 || rep->steps[k].timed_out)
			return 0;
	return is_baseline(s) ? check_reached(s, &before, i, rep, e) : 0;
}

static int exercise_all(struct stage *s, struct twin_report *rep, struct err *e)
{
	const struct strv *steps = &s->t->spec->exercise;
	struct probe *probe = s->t->probe;
	struct place p = place_of(s, rep);
	size_t n = steps->n ? steps->n : probe->n;

	rep->steps = xcalloc(n, sizeof(*rep->steps));
	for (size_t i = 0; i < n; i++) {
		if (twin_interrupted)
			return err_set(e, -EINTR, "interrupted");
		int r = steps->n ? command_step(s, &p, i, rep, e)
				 : probe_run(probe, i, &p, s->t->scratch, &rep->steps[i], e);
		if (r < 0)
			return r;
		rep->n_steps = i + 1;
		log_debug("%s: step %zu: exit %d, %.3f s", s->t->label, i + 1, rep->steps[i].status,
			  rep->steps[i].seconds);
		run_poll(&s->run, 0);
	}
	return 0;
}

static int derive(struct stage *s, struct twin_report *rep, struct err *e)
{
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (!s->t->derive)
		return 0;
	int n = layout_derive(s->t->derive, s->t->record, s->t->spec, host, s->world.root, e);
	rep->derived = n;
	return n < 0 ? n : 0;
}

static void serve_too(void *user, const struct step *step, int listener)
{
	supervisor_add(user, listener, step->ignore_failure);
}

/* Lines of the key @what, in the twin's place and seen by whoever watches it. */
static int do_lines(struct stage *s, const struct exec_list *list, const char *what, double seconds,
		    struct err *e)
{
	const struct enter_watch watcher = {serve_too, s->supervisor};
	struct teller t = {
	    .spec = s->t->spec,
	    .run = &s->run,
	    .plan = &s->plan,
	    .commands = &s->commands,
	    .watcher = s->supervisor ? &watcher : NULL,
	    .world = true,
	    .alone = list == &s->t->spec->stop_post,
	    .output = s->output,
	    .until = seconds > 0 ? clock_ms() + (long)(seconds * 1000) : 0,
	    .what = what,
	};

	return tell_all(&t, list, e);
}

/* Its start is not over before these are. */
static int do_started(struct stage *s, struct err *e)
{
	int r = do_lines(s, &s->t->spec->start_post, "ExecStartPost", s->t->spec->timeout_start, e);

	if (r < 0)
		s->last_words = output_tail(s->printed);
	return r < 0 ? err_prefix(e, "%s", s->t->label) : 0;
}

/* What fails here is no failure of the service, which is ended all the same. */
static void do_stopping(struct stage *s, const struct exec_list *list, const char *what,
			struct twin_report *rep)
{
	struct err e = {0};

	if (s->t->scout || do_lines(s, list, what, ERRAND_PATIENCE / 1000.0, &e) >= 0)
		return;
	log_debug("%s: %s", s->t->label, e.msg);
	strv_add(&rep->unwell, e.msg);
}

static int stop(struct stage *s, struct twin_report *rep, struct err *e)
{
	double begin = clock_now();
	/* What a service does when it ends is worth learning, not worth waiting for twice. */
	int patience = s->t->record ? LEARNING_PATIENCE : PATIENCE;

	list_refused(s, &rep->refused);
	supervisor_phase(s->supervisor, PHASE_STOP);
	do_stopping(s, &s->t->spec->stop, "ExecStop", rep);
	rep->forced = run_quiet(&s->run, s->t->spec->kill_signal, patience, NULL);
	do_stopping(s, &s->t->spec->stop_post, "ExecStopPost", rep);
	run_end(&s->run);
	int r = supervisor_stop(s->supervisor, e);
	s->supervisor = NULL;
	if (s->t->record)
		helpers_exclude(s->t->record, &s->at_rest);
	rep->stop_s = clock_now() - begin;
	return r < 0 ? r : derive(s, rep, e);
}

static void stage_done(struct stage *s)
{
	run_end(&s->run);
	supervisor_stop(s->supervisor, NULL);
	refusals_stop(s->refusals);
	if (s->plan.stdio[0] > 2)
		close(s->plan.stdio[0]);
	fd_close(&s->plan.root);
	plan_done(&s->plan);
	filter_free(&s->filter);
	command_set_done(&s->commands);
	strv_done(&s->at_rest);
	free(s->last_words);
	fd_close(&s->jail);
	fd_close(&s->output);
	fd_close(&s->users);
	passed_done(&s->passed);
	fd_close(&s->printed);
	log_nowhere_close(&s->log);
	world_close(&s->world);
}

/* What a run tells of the service at rest. */
static void learn(struct stage *s, struct twin_report *rep)
{
	rep->walls = s->run.walls;
	rep->n_walls = s->run.n_walls;
	s->run.walls = NULL;
	ready_listeners(&s->run, &rep->listeners);
	if (s->t->record) {
		ready_drop_changing(&rep->listeners, s->t->record);
		helpers_look(&s->run, &s->at_rest);
	}
	who_look(&rep->who, &s->run);
	if (is_baseline(s) && !s->t->spec->exercise.n)
		probe_make(s->t->probe, &s->run, &rep->listeners);
	if (s->t->written)
		pid_files_find(s->t->written, s->jail, &s->run, &rep->pid_files);
}

/* After the exercise. */
static int learn_more(struct stage *s, struct twin_report *rep, struct err *e)
{
	bool forking = s->t->spec->type == TYPE_FORKING;

	run_poll(&s->run, 0);
	rep->forks = s->run.main_exited || forking;
	who_look(&rep->who, &s->run);
	return s->t->spec->direct && is_baseline(s) ? direct_look(&rep->direct, &s->run, e) : 0;
}

static int play_scout(struct stage *s, struct twin_report *rep, struct err *e)
{
	struct err ignored;
	int r = start(s, e);

	if (r < 0)
		return r;
	wait_ready(s, &ignored);
	return twin_interrupted ? err_set(e, -EINTR, "interrupted") : stop(s, rep, e);
}

static int play(struct stage *s, struct twin_report *rep, struct err *e)
{
	double t0 = clock_now();
	int r = start(s, e);

	if (r == 0)
		r = wait_ready(s, e);
	if (r == 0)
		r = do_started(s, e);
	double t1 = clock_now();
	if (r < 0)
		return r;
	learn(s, rep);
	supervisor_phase(s->supervisor, PHASE_EXERCISE);
	double t2 = clock_now();
	r = exercise_all(s, rep, e);
	rep->start_s = t1 - t0;
	rep->exercise_s = clock_now() - t2;
	if (r == 0)
		r = learn_more(s, rep, e);
	return r < 0 ? r : stop(s, rep, e);
}

/* A full disk explains whatever followed from it; else the service's own words do. */
static int end_failed(struct stage *s, int r, struct err *e)
{
	struct err why = {0};

	run_end(&s->run);
	int first = supervisor_stop(s->supervisor, &why);
	s->supervisor = NULL;
	if (first < 0)
		return err_set(e, first, "%s", why.msg);
	return s->last_words && !s->t->scout ? explain(s, r, e) : r;
}

int twin_run(const struct twin *t, struct twin_report *ret, struct err *e)
{
	struct twin_report rep = TWIN_REPORT_INIT;
	struct stage s = {.t = t,
			  .world = WORLD_INIT,
			  .run = RUN_INIT,
			  .jail = -1,
			  .output = -1,
			  .printed = -1,
			  .users = -1,
			  .log = LOG_NOWHERE_INIT};

	plan_init(&s.plan);
	int r = t->scout ? play_scout(&s, &rep, e) : play(&s, &rep, e);
	if (r < 0)
		r = end_failed(&s, r, e);
	stage_done(&s);
	if (r < 0)
		twin_report_done(&rep);
	else
		*ret = rep;
	log_debug("%s: start %.3f s, exercise %.3f s, stop %.3f s%s", t->label, rep.start_s,
		  rep.exercise_s, rep.stop_s, rep.forced ? " (killed)" : "");
	return r;
}

void twin_unwell(const struct twin_report *native, const struct twin_report *jailed,
		 struct strv *ret)
{
	for (size_t i = 0; i < jailed->unwell.n; i++)
		if (!strv_has(&native->unwell, jailed->unwell.v[i]))
			strv_add(ret, jailed->unwell.v[i]);
}

void twin_report_done(struct twin_report *r)
{
	for (size_t i = 0; i < r->n_steps; i++)
		outcome_done(&r->steps[i]);
	free(r->steps);
	free(r->walls);
	strv_done(&r->listeners);
	strv_done(&r->pid_files);
	strv_done(&r->refused);
	strv_done(&r->unwell);
	direct_done(&r->direct);
	who_done(&r->who);
	*r = (struct twin_report)TWIN_REPORT_INIT;
}
