/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/status.h"

json_t *status_to_json(const char *name, const struct service_status *s)
{
	char root[64];
	json_t *j = json_pack("{ss ss si si sI}", "name", name, "state",
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
	json_object_set_new(j, "restarts",
			    s->init ? json_integer((json_int_t)s->restarts) : json_null());
	json_object_set_new(j, "told", s->told[0] ? cmd_json_string(s->told) : json_null());
	/* Nothing counts these yet: unknown is not zero. */
	json_object_set_new(j, "misses", json_null());
	return j;
}

static void print_degraded(const char *name, const struct service_status *s)
{
	if (s->degraded[0])
		printf("  degraded: its update has not been proved since %s; immure update %s says "
		       "why\n",
		       s->degraded, name);
}

static void print_text(const char *name, const struct service_status *s)
{
	char size[32];

	if (s->state != SERVICE_RUNNING) {
		printf("%s: %s, generation %d\n", name, service_state_name(s->state),
		       s->generation);
		return print_degraded(name, s);
	}
	printf("%s: running, pid %d, generation %d, since %s, %zu process%s, %s\n", name,
	       (int)s->pid, s->generation, s->started, s->processes, s->processes == 1 ? "" : "es",
	       cmd_size(s->memory, size, sizeof(size)));
	if (s->restarts)
		printf("  started again %u time%s since it was started\n", s->restarts,
		       s->restarts == 1 ? "" : "s");
	if (s->told[0])
		printf("  it says: %s\n", s->told);
	if (s->refused)
		printf("  %lu call%s refused; immure logs %s names them\n", s->refused,
		       s->refused == 1 ? "" : "s", name);
	if (s->note[0])
		printf("  %s\n", s->note);
	print_degraded(name, s);
}

static int run(const struct invocation *in)
{
	struct service_status s;
	struct err e = {0};
	int r = service_status(in->dirs, in->name, &s, &e);

	if (r < 0) {
		cmd_fail(&e);
		if (in->common->json)
			cmd_print_json(status_to_json(in->name, &s));
		return service_state_code(SERVICE_UNKNOWN);
	}
	if (in->common->json)
		cmd_print_json(status_to_json(in->name, &s));
	else if (!in->common->quiet)
		print_text(in->name, &s);
	return service_state_code(s.state);
}

const struct command cmd_status = {
    .name = "status",
    .summary = "whether a jail runs: 0 running, 1 dead, 3 stopped or restarting, 4 unknown",
    .synopsis = "NAME",
    .min_args = 1,
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME,
    .run = run,
};
