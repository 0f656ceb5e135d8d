/* SPDX-License-Identifier: MIT */
#include "cmd/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "jail/generation.h"

static json_t *syslog_json(const struct service_status *s)
{
	const struct logging_figures *f = &s->syslog;

	if (!s->logs)
		return json_null();
	return json_pack("{sI sI sI sI so}", "accepted", (json_int_t)f->accepted, "forwarded",
			 (json_int_t)f->forwarded, "dropped", (json_int_t)f->dropped, "waiting",
			 (json_int_t)f->waiting, "relay",
			 f->relay ? json_integer(f->relay) : json_null());
}

int status_row(const struct dirs *d, const char *name, struct status_row *ret, struct err *e)
{
	*ret = (struct status_row){.name = name};
	int r = service_status(d, name, &ret->service, e);

	if (r == 0)
		usage_of(d, name, ret->service.state == SERVICE_RUNNING, &ret->usage);
	if (ret->service.state == SERVICE_RUNNING && ret->service.init)
		ret->service.memory = ret->usage.memory;
	return r;
}

/* Unknown is not zero. */
static json_t *number_or_null(long long n)
{
	return n < 0 ? json_null() : json_integer(n);
}

static json_t *limits_to_json(const struct usage *u)
{
	return json_pack("{so so so so}", "memory", number_or_null(u->memory_max), "tasks",
			 number_or_null(u->tasks_max), "cpu",
			 u->cpu_max < 0 ? json_null() : json_real(u->cpu_max), "cpu_weight",
			 number_or_null(u->cpu_weight));
}

static void add_usage(json_t *j, const struct status_row *row)
{
	const struct usage *u = &row->usage;
	bool runs = row->service.init > 0;

	json_object_set_new(j, "cpu", runs ? json_real(u->cpu) : json_null());
	json_object_set_new(j, "tasks", runs ? json_integer(u->tasks) : json_null());
	json_object_set_new(j, "disk", number_or_null(u->disk));
	json_object_set_new(j, "private_memory", number_or_null(runs ? u->private_memory : -1));
	json_object_set_new(j, "limits", limits_to_json(u));
	json_object_set_new(j, "frozen", json_boolean(u->frozen));
}

/* Unknown is not zero. */
static json_t *counted_json(const struct service_status *s, long long n)
{
	return s->init && n >= 0 ? json_integer((json_int_t)n) : json_null();
}

json_t *status_to_json(const struct status_row *row)
{
	const struct service_status *s = &row->service;
	char root[64];
	json_t *j = json_pack("{ss ss si si sI}", "name", row->name, "state",
			      service_state_name(s->state), "pid", (int)s->pid, "generation",
			      s->generation, "memory", (json_int_t)s->memory);
	json_object_set_new(j, "processes", json_integer((json_int_t)s->processes));
	if (s->init) {
		snprintf(root, sizeof(root), "/proc/%d/root", (int)s->init);
		json_object_set_new(j, "root", json_string(root));
		json_object_set_new(j, "started", json_string(s->started));
	} else {
		json_object_set_new(j, "root", json_null());
		json_object_set_new(j, "started", json_null());
	}
	json_object_set_new(j, "note", s->note[0] ? cmd_json_string(s->note) : json_null());
	json_object_set_new(j, "degraded", s->degraded[0] ? json_string(s->degraded) : json_null());
	json_object_set_new(j, "refused",
			    s->init ? json_integer((json_int_t)s->refused) : json_null());
	json_object_set_new(j, "refused_connects", counted_json(s, s->peers.connects));
	json_object_set_new(j, "refused_binds", counted_json(s, s->peers.binds));
	json_object_set_new(j, "restarts",
			    s->init ? json_integer((json_int_t)s->restarts) : json_null());
	json_object_set_new(j, "told", s->told[0] ? cmd_json_string(s->told) : json_null());
	json_object_set_new(j, "syslog", syslog_json(s));
	/* Nothing counts these yet: unknown is not zero. */
	json_object_set_new(j, "misses", json_null());
	add_usage(j, row);
	return j;
}

static void print_degraded(const char *name, const struct service_status *s)
{
	if (s->degraded[0])
		printf("  degraded: its update has not been proved since %s; immure update %s says "
		       "why\n",
		       s->degraded, name);
}

/* "1.2 MB of 64 MB" */
static void print_part(const char *title, long long n, long long max)
{
	char is[32], most[32];

	if (n < 0)
		return;
	printf(" %s %s", title, cmd_size(n, is, sizeof(is)));
	if (max >= 0)
		printf(" of %s", cmd_size(max, most, sizeof(most)));
	putchar(',');
}

static void print_usage(const struct usage *u)
{
	fputs("  uses", stdout);
	print_part("memory", u->memory, u->memory_max);
	print_part("private", u->private_memory, -1);
	print_part("disk", u->disk, -1);
	printf(" tasks %lld", u->tasks);
	if (u->tasks_max >= 0)
		printf(" of %lld", u->tasks_max);
	printf(", cpu %.2f s", u->cpu);
	if (u->cpu_max >= 0)
		printf(" at %.2f of a processor", u->cpu_max);
	if (u->cpu_weight >= 0)
		printf(" by weight %lld", u->cpu_weight);
	putchar('\n');
}

static void print_text(const struct status_row *row)
{
	const struct service_status *s = &row->service;
	const char *name = row->name;
	char size[32];

	if (s->state != SERVICE_RUNNING) {
		printf("%s: %s, generation %d\n", name, service_state_name(s->state),
		       s->generation);
		return print_degraded(name, s);
	}
	printf("%s: running%s, pid %d, generation %d, since %s, %zu process%s, %s\n", name,
	       row->usage.frozen ? ", frozen" : "", (int)s->pid, s->generation, s->started,
	       s->processes, s->processes == 1 ? "" : "es",
	       cmd_size(s->memory, size, sizeof(size)));
	if (s->init)
		print_usage(&row->usage);
	if (s->restarts)
		printf("  started again %u time%s since it was started\n", s->restarts,
		       s->restarts == 1 ? "" : "s");
	if (s->told[0])
		printf("  it says: %s\n", s->told);
	if (s->refused)
		printf("  %lu call%s refused; immure logs %s names them\n", s->refused,
		       s->refused == 1 ? "" : "s", name);
	if (s->peers.connects > 0)
		printf("  %lld connect%s refused by ConnectTo=\n", s->peers.connects,
		       s->peers.connects == 1 ? "" : "s");
	if (s->peers.binds > 0)
		printf("  %lld bind%s refused by SocketBindDeny=\n", s->peers.binds,
		       s->peers.binds == 1 ? "" : "s");
	if (s->logs && (s->syslog.dropped || s->syslog.waiting))
		printf("  syslog: %llu messages forwarded, %llu waiting, %llu dropped\n",
		       (unsigned long long)s->syslog.forwarded,
		       (unsigned long long)s->syslog.waiting,
		       (unsigned long long)s->syslog.dropped);
	if (s->note[0])
		printf("  %s\n", s->note);
	print_degraded(name, s);
}

struct status_opts {
	const char *format;
};

static const struct opt rows[] = {
    {"format", 0, "FORMAT", "for another program: prometheus", OPT_STRING,
     offsetof(struct status_opts, format)},
};

/* What cannot be looked at is told, and all the others shown. */
static int run_prometheus(const struct invocation *in)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	struct err e = {0};
	int status = EXIT_GOOD;
	size_t n = 0;

	if (in->name)
		strv_add(&names, in->name);
	else if (jail_names(in->dirs, &names, &e) < 0)
		return cmd_fail(&e);
	struct status_row *all = xcalloc(names.n + 1, sizeof(*all));
	for (size_t i = 0; i < names.n; i++)
		if (status_row(in->dirs, names.v[i], &all[n], &e) < 0)
			status = cmd_fail(&e);
		else
			n++;
	status_prometheus(all, n);
	free(all);
	return status;
}

static int wrong_usage(const char *format)
{
	struct err e = {0};

	if (format)
		err_set(&e, -EINVAL, "'%.100s' is no format: prometheus is", format);
	else
		err_set(&e, -EINVAL, "status needs a name, or --format prometheus for all jails");
	return cmd_fail(&e);
}

static int run(const struct invocation *in)
{
	const struct status_opts *opts = in->options;
	struct status_row row;
	struct err e = {0};

	if (opts->format && streq(opts->format, "prometheus"))
		return run_prometheus(in);
	if (opts->format || !in->name)
		return wrong_usage(opts->format);
	int r = status_row(in->dirs, in->name, &row, &e);
	if (r < 0)
		cmd_fail(&e);
	if (in->common->json)
		cmd_print_json(status_to_json(&row));
	else if (r == 0 && !in->common->quiet)
		print_text(&row);
	return service_state_code(row.service.state);
}

const struct command cmd_status = {
    .name = "status",
    .summary = "whether a jail runs: 0 running, 1 dead, 3 stopped or restarting, 4 unknown",
    .synopsis = "[NAME] [--format FORMAT]",
    .more = "And what it uses of the host: memory, processor time, tasks, disk. With --format the "
	    "exit status is 0\nwhere all could be looked at.",
    .options = rows,
    .n_options = ARRAY_LEN(rows),
    .options_size = sizeof(struct status_opts),
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME,
    .run = run,
};
