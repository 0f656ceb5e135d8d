/* SPDX-License-Identifier: MIT */
/* The service's command and environment, as they will be executed. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "confine/plan.h"
#include "confine/run.h"
#include "jail/account.h"
#include "spec/spec.h"

/* One command of a run: the words, and the file that is executed. */
struct command_line {
	struct strv argv;
	char *program;
	bool ignore_failure;
	bool no_user;
};

struct command_set {
	struct account account;
	struct strv env;
	char *cwd;
	struct command_line main;
	struct command_line *pre; /* ExecStartPre=, in order */
	struct step *steps;	  /* the same for struct plan, pointing into pre */
	size_t n_pre;
	struct strv notes; /* what this host does not allow, in words for the summary */
};
#define COMMAND_SET_INIT                                                                           \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_COMMAND_SET CLEANUP(command_set_done)

/* Looks up the user, reads environment files (each time anew: their values are never stored),
 * expands variables and finds programs on the service's PATH. */
int command_set_make(const struct spec *s, struct command_set *ret, struct err *e);
void command_set_done(struct command_set *c);

/* One more line (ExecReload=) with the environment and PATH of @c. */
int command_line_make(const struct exec_line *l, const struct command_set *c,
		      struct command_line *ret, struct err *e);
void command_line_done(struct command_line *l);

/* "-" before the command: its exit status is of no account, and is taken as 0. */
void command_forgive(const struct spec *s, struct run *r);

/* Fills the parts of @p that come from the spec: identity, commands, environment, limits. The plan
 * borrows from @c and @s. Limits that only CAP_SYS_RESOURCE could raise (a container's root often
 * lacks it) are as high as they may be; `notes` says so. */
void command_set_plan(const struct command_set *c, const struct spec *s, struct plan *p);
