/* SPDX-License-Identifier: MIT */
/* Which ExecReload= lines are a kill(1) of the main process. */
#include "jail/tell.h"

#include <signal.h>

#include "base/attr.h"
#include "check.h"

static const struct {
	const char *line;
	int sig;
} rows[] = {
    {"/bin/kill -HUP 12", SIGHUP},
    {"kill -1 12", SIGHUP},
    {"kill -s USR1 12", SIGUSR1},
    {"kill --signal=HUP -- 12", SIGHUP},
    {"kill -SIGUSR2 12", SIGUSR2},
    {"kill 12", SIGTERM},
    {"kill -HUP 13", 0},
    {"kill -HUP 12 13", 0},
    {"kill -HUP", 0},
    {"kill", 0},
    {"kill -NONE 12", 0},
    {"kill -HUP -12", 0},
    {"/usr/bin/pkill -HUP 12", 0},
    {"kill -l 12", 0},
    {"/usr/sbin/nginx -s reload", 0},
    {"kill -s", 0},
};

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strv words CLEANUP_STRV = STRV_INIT;
		strv_split(&words, rows[i].line, " ");
		CHECK_INT(tell_signal(words.v, "12"), rows[i].sig);
	}
	return check_done("tell");
}
