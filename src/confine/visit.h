/* SPDX-License-Identifier: MIT */
/* A command of the host's in the view of a jail, which leaves nothing in it: `immure shell`.
 *
 * What the visitor sees is the jail: its files where the service has them, its processes, its ipc
 * objects. The host's programs stand in one directory besides, which the jail's processes do not
 * see: VISIT_TOOLS, read-only, with `bin` in it for all of them by name. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"
#include "confine/plan.h"

#define VISIT_TOOLS "/.host"

struct visit {
	int init; /* pidfd of the init of a jail that runs; or -1: */
	const struct plan
	    *plan;	   /* root and mounts of one that does not, in namespaces of its own */
	struct strv trees; /* directories of the host with the tools and all they need */
	struct strv links; /* "NAME=TARGET": TARGET lies below one of the trees */
	char *loader;  /* what the tools name as their dynamic loader, or NULL: this is where the
			* host's must stand in the visitor's view */
	bool terminal; /* it is an interactive shell: it has the caller's terminal meanwhile */
	char *const *argv; /* argv[0] is looked up in the visitor's PATH */
	char *const *envp;
};

/* Runs it on the caller's standard descriptors and waits. What is left of it then, in the
 * background, is killed. *ret_status as of waitpid(2). */
int visit_run(const struct visit *v, int *ret_status, struct err *e);
