/* SPDX-License-Identifier: MIT */
/* What run.c, init.c and child.c share: the messages on the control socket. Private to the three.
 */
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"
#include "confine/plan.h"
#include "confine/selftest.h"

/* Real-time signals by number: SIGRTMIN of musl, which the init is linked with, and of the caller's
 * library differ. From the caller to the init: the signal number in its value goes to every
 * process. */
#define SIGNAL_ALL 40

/* And: the process of that number is the main one from now on (run_follow()). */
#define SIGNAL_MAIN 41

enum run_message_type {
	RUN_HELLO,  /* from the service's process: credentials, and the listener where asked for */
	RUN_EXEC,   /* the program is running */
	RUN_FAILED, /* err says why it is not */
	RUN_WALL,   /* a row of the self-test, where the plan tells them */
	RUN_EXIT,   /* status of the main process */
	RUN_EMPTY,  /* nobody is left but the init, which stays (plan.h) */
};

struct run_message {
	enum run_message_type type;
	int status;
	union {
		struct err err;
		struct selftest_row wall;
	};
};

/* Sends @m, with descriptor @fd where it is not -1. 0 or -errno. */
int message_send(int sock, const struct run_message *m, int fd);

/* Takes one message that is there: 1, 0 at the end of file, -EAGAIN where there is none, -errno.
 * The sender's pid, as the receiver sees it, and a descriptor are filled where they came along. */
int message_receive(int sock, struct run_message *m, pid_t *ret_sender, int *ret_fd);

/* The first process of the namespace; never returns. @go is the pipe on which the caller lets it
 * begin, with the number that the service shall have (pids.h); end of file there means that the
 * caller has died already. */
NORETURN void init_main(const struct plan *p, int ctl, int go);

/* The service's process, from fork to exec; never returns. What goes wrong, and the walls where the
 * plan tells them, go to @report as messages; end of file there means that it was executed. */
NORETURN void child_main(const struct plan *p, int ctl, int report);

/* Wipes what whoever started this process had in its environment. */
void child_forget(void);

/* A process that shall execute @s, in a root and in namespaces that it has entered already: the
 * steps of child_main() that prepare it, and exec. In a twin that learns, what watches it goes to
 * @ctl as from there (-1: nobody watches). */
NORETURN void child_enter(const struct plan *p, const struct step *s, int ctl, int report);

/* The first pid that the file @path below @dir, a proc_pid_children(5), names; or 0. */
pid_t children_first(int dir, const char *path);

/* For the init and the child only: all descriptors but these (-1: none) are closed. */
void close_all_but(const int *keep, size_t n);
