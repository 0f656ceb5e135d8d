/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "jail/errand.h"

static int number(const char *word)
{
	return strcmp(word, "none") == 0 ? -1 : atoi(word);
}

static int run(const struct invocation *in)
{
	char **words = in->given->args.v;
	int which = errand_find(words[1]);
	const struct errand_order order = {
	    .which = which < 0 ? ERRAND_STOP : (enum errand_which)which,
	    .seconds = strtod(words[2], NULL),
	    .users = number(words[3]),
	    .result = words[4],
	    .ended = number(words[5]),
	};
	struct err e = {0};

	if (which < 0)
		err_set(&e, -EINVAL, "errand: no such kind: %s", words[1]);
	if (order.users >= 0)
		fcntl(order.users, F_SETFD, FD_CLOEXEC);
	return which < 0 || errands_run(in->dirs, in->name, &order, &e) < 0 ? cmd_fail(&e)
									    : EXIT_GOOD;
}

/* For a start and the keeper alone (keep/errand.h), hence in no list. */
const struct command cmd_errand = {
    .name = "errand",
    .synopsis = "NAME WHICH SECONDS USERS RESULT ENDED",
    .min_args = 6,
    .max_args = 6,
    .needs = NEED_ROOT | NEED_NAME,
    .run = run,
};
