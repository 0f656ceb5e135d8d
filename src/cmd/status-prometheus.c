/* SPDX-License-Identifier: MIT */
/* https://prometheus.io/docs/instrumenting/exposition_formats/ : a family of values at a time, with
 * all its samples. */
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "cmd/status.h"

/* What nobody knows, or what has no limit, has no sample. */
static double known(long long n)
{
	return n < 0 ? NAN : (double)n;
}

static double of_running(const struct status_row *r, long long n)
{
	return r->service.init ? known(n) : NAN;
}

static double up(const struct status_row *r)
{
	return r->service.state == SERVICE_RUNNING;
}

static double dead(const struct status_row *r)
{
	return r->service.state == SERVICE_DEAD;
}

static double frozen(const struct status_row *r)
{
	return r->usage.frozen;
}

static double degraded(const struct status_row *r)
{
	return r->service.degraded[0] != '\0';
}

static double generation(const struct status_row *r)
{
	return r->service.generation;
}

static double started(const struct status_row *r)
{
	struct tm tm = {0};
	return strptime(r->service.started, "%Y-%m-%dT%H:%M:%S", &tm) ? (double)timegm(&tm) : NAN;
}

static double processes(const struct status_row *r)
{
	return of_running(r, (long long)r->service.processes);
}

static double tasks(const struct status_row *r)
{
	return of_running(r, r->usage.tasks);
}

static double tasks_max(const struct status_row *r)
{
	return known(r->usage.tasks_max);
}

static double memory(const struct status_row *r)
{
	return of_running(r, r->usage.memory);
}

static double memory_max(const struct status_row *r)
{
	return known(r->usage.memory_max);
}

static double private_memory(const struct status_row *r)
{
	return of_running(r, r->usage.private_memory);
}

static double disk(const struct status_row *r)
{
	return known(r->usage.disk);
}

static double cpu(const struct status_row *r)
{
	return r->service.init && r->usage.cpu >= 0 ? r->usage.cpu : NAN;
}

static double cpu_max(const struct status_row *r)
{
	return r->usage.cpu_max < 0 ? NAN : r->usage.cpu_max;
}

static double refused(const struct status_row *r)
{
	return of_running(r, (long long)r->service.refused);
}

static double restarts(const struct status_row *r)
{
	return of_running(r, r->service.restarts);
}

static double restarting(const struct status_row *r)
{
	return r->service.state == SERVICE_RESTARTING;
}

static const struct {
	const char *name, *type, *help;
	double (*value)(const struct status_row *r); /* NAN: no sample */
} families[] = {
    {"immure_up", "gauge", "Whether the jail runs.", up},
    {"immure_dead", "gauge", "Whether it ended without being asked to, and badly.", dead},
    {"immure_restarting", "gauge", "Whether it has ended and is about to be started again.",
     restarting},
    {"immure_restarts_total", "counter", "Starts by itself (Restart=) since the last by hand.",
     restarts},
    {"immure_frozen", "gauge", "Whether its processes are halted (immure freeze).", frozen},
    {"immure_degraded", "gauge", "Whether an update of it has not been proved.", degraded},
    {"immure_generation", "gauge", "The generation that runs, or would be started.", generation},
    {"immure_start_time_seconds", "gauge", "When it was started, in Unix time.", started},
    {"immure_processes", "gauge", "Its processes.", processes},
    {"immure_tasks", "gauge", "Its processes and threads.", tasks},
    {"immure_tasks_limit", "gauge", "The most that it may have (TasksMax=).", tasks_max},
    {"immure_memory_bytes", "gauge", "Memory, by its control group or resident.", memory},
    {"immure_memory_limit_bytes", "gauge", "The most that it may have (MemoryMax=).", memory_max},
    {"immure_private_memory_bytes", "gauge", "Files in its private /run, /tmp and /dev/shm.",
     private_memory},
    {"immure_disk_bytes", "gauge", "The host's directories that it may write.", disk},
    {"immure_cpu_seconds_total", "counter", "Processor time since the start.", cpu},
    {"immure_cpu_limit_cores", "gauge", "Processors that it may use (CPUQuota=).", cpu_max},
    {"immure_refused_calls_total", "counter", "Calls that its filter has refused.", refused},
};

/* Names of jails have no character that a label would have to escape (str_is_name()). */
void status_prometheus(const struct status_row *rows, size_t n)
{
	for (size_t f = 0; f < ARRAY_LEN(families); f++) {
		bool head = false;
		for (size_t i = 0; i < n; i++) {
			double value = families[f].value(&rows[i]);
			if (isnan(value))
				continue;
			if (!head)
				printf("# HELP %s %s\n# TYPE %s %s\n", families[f].name,
				       families[f].help, families[f].name, families[f].type);
			head = true;
			printf("%s{jail=\"%s\"} %.15g\n", families[f].name, rows[i].name, value);
		}
	}
}
