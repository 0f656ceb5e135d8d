/* SPDX-License-Identifier: MIT */
/* Commands as rows: main.c checks what a row demands, parses its options and calls it.
 *
 * A command is thin: it calls one function of src/jail and prints. Exit statuses are a contract:
 * 0 good, 1 the answer is no, 2 wrong usage or spec, 4 not permitted, 5 the host or kernel refused.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/opt.h"
#include "keep/dirs.h"

enum { EXIT_GOOD = 0, EXIT_NO = 1, EXIT_USAGE = 2, EXIT_PERMISSION = 4, EXIT_HOST = 5 };

enum command_need {
	NEED_ROOT = 1u << 0, /* else exit 4, before any work */
	NEED_NAME = 1u << 1, /* the first operand is the name of a jail */
	TAKES_DRY_RUN = 1u << 2,
};

/* What every command understands. */
struct common {
	bool json, quiet, verbose, dry_run, help;
};

struct invocation {
	const struct command *command;
	const struct common *common;
	const struct dirs *dirs;
	const struct opt_result *given;
	const void *options; /* the command's own struct, filled */
	const char *name;    /* with NEED_NAME */
};

struct command {
	const char *name;
	const char *summary;  /* one line, for `immure --help`; NULL: it is in no list */
	const char *synopsis; /* what follows the name: "NAME [--class C]" */
	const char *more;     /* a paragraph for its own help, or NULL */
	const struct opt *options;
	size_t n_options;
	size_t options_size; /* of the struct that the rows fill */
	size_t min_args, max_args;
	bool takes_rest; /* "-- COMMAND" */
	unsigned needs;
	int (*run)(const struct invocation *in); /* returns the exit status */
};

extern const struct command cmd_build, cmd_run, cmd_resume, cmd_errand, cmd_adopt, cmd_start,
    cmd_stop, cmd_reload, cmd_restart, cmd_status, cmd_ls, cmd_files, cmd_why, cmd_show, cmd_logs,
    cmd_remove, cmd_check, cmd_prove, cmd_export, cmd_enable, cmd_disable, cmd_update, cmd_rollback,
    cmd_diff, cmd_gc, cmd_freeze, cmd_thaw, cmd_shell;

/* Prints "immure: MESSAGE" on standard error; returns the exit status that fits the code: -EINVAL,
 * -ENOENT, -EEXIST, -EBADMSG: 2; -EPERM, -EACCES: 4; -EREMOTEIO, -ECHILD, -ETIME (the service or
 * the exercise says no): 1; all else: 5. */
int cmd_fail(const struct err *e);

/* Takes the lock of the command's jail; a descriptor. Else prints who has it, and *ret_status is
 * the exit status. jail_unlock() gives it back. */
int cmd_lock(const struct invocation *in, int *ret_status);

/* Adds "schema": 1 and prints the object; takes it over. Returns EXIT_GOOD. */
int cmd_print_json(json_t *object);

/* A JSON string of bytes that may not be UTF-8: what is not becomes "?". */
json_t *cmd_json_string(const char *text);

/* "12.3 MB", powers of 1000, into @buf. */
const char *cmd_size(long long bytes, char *buf, size_t size);
