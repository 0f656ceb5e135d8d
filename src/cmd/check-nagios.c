/* SPDX-License-Identifier: MIT */
/* https://www.monitoring-plugins.org/doc/guidelines.html : "WORD - text | figures" on one line. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "cmd/status.h"
#include "jail/check.h"
#include "jail/generation.h"

enum health { HEALTH_OK, HEALTH_UNKNOWN, HEALTH_WARNING, HEALTH_CRITICAL }; /* from good to bad */

static const struct {
	const char *word;
	int status;
} healths[] = {
    [HEALTH_OK] = {"OK", 0},
    [HEALTH_UNKNOWN] = {"UNKNOWN", 3},
    [HEALTH_WARNING] = {"WARNING", 1},
    [HEALTH_CRITICAL] = {"CRITICAL", 2},
};

static const enum health of_finding[FINDING_KINDS] = {
    [FINDING_CRITICAL] = HEALTH_CRITICAL, [FINDING_TAMPERED] = HEALTH_CRITICAL,
    [FINDING_DRIFT] = HEALTH_WARNING,	  [FINDING_HYGIENE] = HEALTH_WARNING,
    [FINDING_RESTART] = HEALTH_WARNING,	  [FINDING_POLICY] = HEALTH_WARNING,
    [FINDING_NOTE] = HEALTH_OK,
};

struct verdict {
	enum health worst;
	struct strv troubles; /* "web: dead" */
	size_t running, findings;
};

static void add(struct verdict *v, enum health health, const char *name, const char *text)
{
	v->worst = health > v->worst ? health : v->worst;
	if (health != HEALTH_OK)
		strv_take(&v->troubles, xasprintf("%s: %s", name, text));
}

static void judge_state(struct verdict *v, const struct status_row *row, bool all)
{
	enum service_state state = row->service.state;

	v->running += state == SERVICE_RUNNING;
	if (state == SERVICE_DEAD)
		add(v, HEALTH_CRITICAL, row->name, "dead");
	if (state == SERVICE_STOPPED && !all)
		add(v, HEALTH_CRITICAL, row->name, "stopped");
	if (state == SERVICE_RESTARTING)
		add(v, HEALTH_WARNING, row->name, "it has ended, and is about to be started again");
	if (row->usage.frozen)
		add(v, HEALTH_WARNING, row->name, "frozen");
	if (row->service.degraded[0])
		add(v, HEALTH_WARNING, row->name, "its update is not proved");
	if (row->service.note[0])
		add(v, HEALTH_WARNING, row->name, row->service.note);
}

/* The first of a kind stands for all of it: it is one line. */
static void judge_findings(struct verdict *v, const char *name, const struct findings *f)
{
	size_t of_kind[FINDING_KINDS] = {0};

	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].kind != FINDING_NOTE)
			of_kind[f->v[i].kind]++;
	for (size_t k = 0; k < FINDING_KINDS; k++) {
		if (!of_kind[k])
			continue;
		CLEANUP_STR char *text =
		    xasprintf("%s (%zu)", finding_kind_name((enum finding_kind)k), of_kind[k]);
		add(v, of_finding[k], name, text);
		v->findings += of_kind[k];
	}
}

static void judge(struct verdict *v, const struct invocation *in, struct checker *c,
		  const char *name, bool all, struct status_row *row)
{
	struct findings f CLEANUP_FINDINGS = {0};
	struct err e = {0};
	int r = status_row(in->dirs, name, row, &e);

	if (r == 0)
		r = check_jail(c, name, &f, &e);
	if (r < 0) {
		add(v, HEALTH_UNKNOWN, name, e.msg);
		return;
	}
	judge_state(v, row, all);
	judge_findings(v, name, &f);
}

/* What ends the text, or the line, cannot stand in it. */
static void print_text(const char *text)
{
	CLEANUP_STR char *safe = str_printable(xstrdup(text));

	for (char *c = safe; *c; c++)
		putchar(*c == '|' ? '/' : *c);
}

/* 'label'=value[UOM];[warn];[crit];[min];[max] */
static void print_figures(const struct status_row *row)
{
	const struct usage *u = &row->usage;

	if (row->service.init) {
		printf(" memory=%lldB;;;0;", u->memory);
		if (u->memory_max >= 0)
			printf("%lld", u->memory_max);
		printf(" tasks=%lld;;;0;", u->tasks);
		if (u->tasks_max >= 0)
			printf("%lld", u->tasks_max);
		printf(" cpu=%.3fs refused=%luc", u->cpu, row->service.refused);
	}
	if (u->disk >= 0)
		printf(" disk=%lldB;;;0;", u->disk);
}

int status_nagios(const struct invocation *in, const struct strv *names, bool all, bool deep)
{
	struct checker *c CLEANUP_CHECKER = checker_new(in->dirs, deep);
	struct verdict v = {0};
	struct status_row row = {0};

	for (size_t i = 0; i < names->n; i++)
		judge(&v, in, c, names->v[i], all, &row);
	printf("IMMURE %s - ", healths[v.worst].word);
	for (size_t i = 0; i < v.troubles.n; i++) {
		fputs(i ? ", " : "", stdout);
		print_text(v.troubles.v[i]);
	}
	if (!v.troubles.n)
		printf("%zu of %zu jail%s running", v.running, names->n, names->n == 1 ? "" : "s");
	printf(" | jails=%zu;;;0; running=%zu;;;0; findings=%zu;;;0;", names->n, v.running,
	       v.findings);
	if (names->n == 1 && row.name)
		print_figures(&row);
	putchar('\n');
	strv_done(&v.troubles);
	return healths[v.worst].status;
}
