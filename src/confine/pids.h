/* SPDX-License-Identifier: MIT */
/* One number inside and outside.
 *
 * Pid files and lock files (a postmaster's!) mean the same on both sides of a jail only when a
 * process has one number on both. The kernel lets that be chosen for a process that is made by
 * clone3(2) with set_tid, which takes rights that a service does not have: so the first process is
 * made that way, by our init, and keeps its number over any execve(2).
 *
 * What a service forks by itself gets the next free number of each namespace. While it puts itself
 * into the background the inner counter is kept in step with the outer one ("paced": ns_last_pid in
 * proc_sys_kernel(5)): the next number is then the same on both sides unless some other process of
 * the host forks within the tenth of a millisecond between two looks. The kernel has no more to
 * offer; who must be sure looks at the result, and starts again. Measured with some 1000 new
 * processes a second on the host: 85 to 90 of 100 daemons; with 1000 more, 66 to 75; unpaced, none.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* A number that no process has, and that the kernel will not hand out soon; 0 where none is found.
 */
pid_t pids_free(void);

/* As spawn(), with the process as number @number in the caller's pid namespace and the one around
 * it. Where it is taken: as one of the numbers just below. Where that is refused (no rights
 * outside, 0): as any. */
pid_t pids_spawn(pid_t number, bool lends, void (*run)(const void *), const void *arg);

/* Keeps the counter of the pid namespace of the process @init_fd (a pidfd) in step with ours, at
 * most PACE_SECONDS, until pids_pace_end(). Returns the pacer's pid, 0 where it could not be made:
 * then nothing is paced. It dies with its caller. */
#define PACE_SECONDS 30
pid_t pids_pace(int init_fd);
void pids_pace_end(pid_t *pacer);
