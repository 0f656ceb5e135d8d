/* SPDX-License-Identifier: MIT */
/* Starts a plan: a pid namespace whose first process is our init, and below it the service.
 *
 *   caller --clone3--> init (pid 1) --fork--> service
 *     |                  |                      |
 *     |<- RUN_HELLO, with the filter's listener |   run_start() returns here
 *     |<- RUN_EXEC or RUN_FAILED                |   run_wait_exec()
 *     |<- RUN_EXIT, the main process's status   |   on `ctl`, any time
 *
 * The init dies with the caller's main thread (PDEATHSIG), and with the init the kernel ends the
 * whole namespace: nothing of a run outlives whoever started it. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "confine/plan.h"
#include "confine/selftest.h"

struct run {
	pid_t init;   /* as the caller sees it */
	pid_t main;   /* the service's first process, as the caller sees it */
	int init_fd;  /* pidfd */
	int main_fd;  /* of a main process that is followed, run_follow(); else -1 */
	int ctl;      /* messages from the init; end of file when it is gone */
	int listener; /* of the filter, or -1; the caller may take it */
	pid_t pacer;  /* pids.h; 0: none */
	int users;  /* of the plan, borrowed: what is mounted in there later is mapped by it; or -1
		     */
	bool empty; /* nobody is left but the init, which stays (plan.h) */
	bool main_exited;
	int main_status; /* as of waitpid(2), valid once main_exited */

	/* What the self-test saw, where the plan tells it: run_end() frees it. */
	struct selftest_row *walls;
	size_t n_walls;
};
#define RUN_INIT                                                                                   \
	{                                                                                          \
		.init_fd = -1, .main_fd = -1, .ctl = -1, .listener = -1, .users = -1               \
	}
#define CLEANUP_RUN CLEANUP(run_end)

/* Starts @p up to the point where the service's process has its filter and is about to change user
 * and execute. Whoever asked for a filter must serve the listener before run_wait_exec(). */
int run_start(const struct plan *p, struct run *ret, struct err *e);

/* Waits until the program is executed, at most @seconds (0: for ever), or says why it is not. */
int run_wait_exec(struct run *r, double seconds, struct err *e);

/* The service has got where it wanted to be: numbers of processes to come need not be the same any
 * more. */
void run_settled(struct run *r);

/* Takes in what the init has said, waiting at most @ms (-1: for ever, 0: not at all). Returns 1
 * when the whole run is gone, or all of it but an init that stays; else 0. */
int run_poll(struct run *r, int ms);

/* The process that stands for the service now: main while it lives; of a daemon that put itself
 * into the background, the oldest process that its init adopted. 0 where there is none. */
pid_t run_main(const struct run *r, pid_t *ret_in);

/* From here on the main process is number @outside, @inside the jail, of which @fd is a pidfd
 * (taken over) and which must be known to be one of its own: that of a service whose first process
 * has ended. How it ends is told by its init, where that is its parent. */
void run_follow(struct run *r, pid_t outside, pid_t inside, int fd);

/* When main_fd is readable: it has ended. */
void run_followed_ended(struct run *r);

/* Whether any process of the service is left. */
bool run_alive(const struct run *r);

/* Whether the service is over: its main process has failed, or nothing of it is left. One that put
 * itself into the background has not failed. */
bool run_over(const struct run *r);

/* Sends @sig to run_main(), by pidfd. -ESRCH where nobody is left. */
int run_signal(const struct run *r, int sig);

/* @sig to the service's process; when that has ended, to all that it left (as systemd's
 * KillMode=control-group does), which get RUN_GRACE_MS more; after @ms (-1: no end) or that grace
 * the end of the namespace. Returns 1 where force was needed. */
#define RUN_GRACE_MS 2000
int run_stop(struct run *r, int sig, int ms);

/* Whether whoever waits wants to wait no more; asked every 20 ms. */
struct run_patience {
	bool (*is_over)(void *user);
	void *user;
};

/* The same, but an init that stays is left: only what it serves is ended, by force after @ms, or
 * when the patience of @p (NULL: endless) is over. */
int run_quiet(struct run *r, int sig, int ms, const struct run_patience *p);

/* Ends the namespace at once and releases everything. Safe on RUN_INIT, and twice. */
void run_end(struct run *r);

/* The root of the run as its init sees it, O_PATH; a descriptor, or -1. What lies below is the
 * service's: beneath.h only. */
int run_root(const struct run *r);

/* The oldest child of @pid (of its first thread), or 0. */
pid_t run_first_child(pid_t pid);

/* The pid that process @pid of ours has in its innermost namespace, or 0. */
pid_t run_pid_inside(pid_t pid);

/* The host's pids of all processes below the init of @r, the init left out. */
struct pid_list {
	pid_t *v;
	size_t n;
};
void run_pids(const struct run *r, struct pid_list *ret);
void run_leaves(const struct run *r, struct pid_list *ret); /* those without a child */
void pid_list_done(struct pid_list *l);
#define CLEANUP_PIDS CLEANUP(pid_list_done)
