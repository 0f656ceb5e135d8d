/* SPDX-License-Identifier: MIT */
/* One command inside a jail that runs: ExecReload=, ConfigTest=, ExecStop= and so on. */
#pragma once

#include "base/err.h"
#include "confine/plan.h"
#include "confine/run.h"

/* Executes @step in the namespaces and the root of the run @r, as @p says (identity, environment,
 * cwd, umask, limits; its rights reduced like the service's), standard input /dev/null, output to
 * @output (a descriptor). Waits at most @seconds, then kills it. *ret_status as of waitpid(2).
 * -errno where it could not be executed. */
int enter_run(const struct run *r, const struct plan *p, const struct step *step, int output,
	      double seconds, int *ret_status, struct err *e);

/* Takes over the listener of the own filter of the command @step, before it is executed. */
struct enter_watch {
	void (*take)(void *user, const struct step *step, int listener);
	void *user;
};

/* The same in a twin whose plan has a filter that learns (no walls): what it calls waits for
 * @watcher, NULL: it has no filter. */
int enter_watched(const struct run *r, const struct plan *p, const struct step *step, int output,
		  double seconds, const struct enter_watch *watcher, int *ret_status,
		  struct err *e);
