/* SPDX-License-Identifier: MIT */
/* Processes by clone3(2), which fork(2) and posix_spawn(3) have no words for. */
#pragma once

#include <linux/sched.h>
#include <stdbool.h>
#include <sys/types.h>

/* Starts a process in which @run(@arg) is called: that ends by execve(2) or _exit(2), and does not
 * return. @args is as clone3(2) has it, without a stack.
 *
 * With @lends the caller's memory is lent, not copied, until then, and the caller waits for so
 * long, as with vfork(2): neither side has to touch its pages anew. What @run changes in memory,
 * the caller finds changed; all else that clone3(2) copies is the process's own. Only for what goes
 * straight on to execve(2), and not in a program with threads. A copy all the same where this
 * program does not know the machine's calls.
 *
 * Returns the pid, or -1 with errno. */
pid_t spawn(struct clone_args *args, bool lends, void (*run)(const void *), const void *arg);
