/* SPDX-License-Identifier: MIT */
#include "jail/helpers.h"

#include <limits.h>
#include <unistd.h>

#include "grow/tracee.h"

#define AFTER_START ((1u << PHASE_EXERCISE) | (1u << PHASE_STOP) | (1u << PHASE_ERRAND))

bool helpers_ours(const char *path)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return false;
	self[n] = '\0';
	return streq(self, path);
}

void helpers_look(const struct run *r, struct strv *ret)
{
	struct pid_list pids CLEANUP_PIDS = {0};
	char exe[PATH_MAX];

	run_leaves(r, &pids);
	for (size_t i = 0; i < pids.n; i++)
		if (tracee_link(pids.v[i], "exe", exe, sizeof(exe)) >= 0)
			strv_add(ret, exe);
	strv_sort_unique(ret);
}

void helpers_exclude(struct record *baseline, const struct strv *at_rest)
{
	for (size_t i = 0; i < at_rest->n; i++)
		baseline->program_phases[record_program(baseline, at_rest->v[i])] |=
		    1u << PHASE_EXERCISE;
}

/* Whether the program made calls after the start too; one that cannot be told apart counts as such.
 */
static bool is_resident(const struct record *r, size_t program)
{
	return program == PROGRAM_UNKNOWN || r->program_phases[program] & AFTER_START;
}

static uint64_t residents(const struct record *r)
{
	uint64_t all = 0;

	for (size_t i = 0; i < r->programs.n && i < RECORD_PROGRAMS_MAX; i++)
		if (is_resident(r, i))
			all |= PROGRAM_BIT(i);
	return all;
}

/* What is executed, and what the kernel opens for that, counts as touched by the program that will
 * run, too. */
static bool only_wrappers(const struct record *r, const struct touch *t)
{
	return t->programs && !(t->programs & residents(r));
}

void helpers_programs(const struct record *baseline, struct strv *ret)
{
	for (size_t i = 0; i < baseline->programs.n; i++)
		if (!is_resident(baseline, i) && !helpers_ours(baseline->programs.v[i]))
			strv_add(ret, baseline->programs.v[i]);
	strv_sort_unique(ret);
}

bool helpers_has(const struct record *baseline, const struct record *growth, const char *path)
{
	const struct touch *first = record_find(baseline, path);
	const struct touch *later = growth ? record_find(growth, path) : NULL;

	return first && only_wrappers(baseline, first) && (!later || only_wrappers(growth, later));
}
