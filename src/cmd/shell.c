/* SPDX-License-Identifier: MIT */
#include <sys/wait.h>

#include "cmd/cmd.h"
#include "jail/shell.h"

static int run(const struct invocation *in)
{
	static char *const none[] = {NULL};
	struct err e = {0};
	int status = 0;
	char *const *argv = in->given->rest.n ? in->given->rest.v : none;

	if (shell_run(in->dirs, in->name, argv, &status, &e) < 0)
		return cmd_fail(&e);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

const struct command cmd_shell = {
    .name = "shell",
    .summary = "the host's tools in the jail's view; nothing is left of them",
    .synopsis = "NAME [-- COMMAND [ARG...]]",
    .more = "In a running jail its files, processes and sockets; of one that is stopped the files. "
	    "The tools stand\nin /.host, which the jail does not see. The exit status is the "
	    "command's.",
    .min_args = 1,
    .max_args = 1,
    .takes_rest = true,
    .needs = NEED_ROOT | NEED_NAME,
    .run = run,
};
