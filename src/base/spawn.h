/* SPDX-License-Identifier: MIT */
/* Processes by clone3(2), which fork(2) and posix_spawn(3) have no words for. */
#pragma once

#include <linux/sched.h>
#include <stdbool.h>
#include <sys/types.h>

/* AddressSanitizer keeps books of frames, and those of such a process never end. */
#ifdef __has_feature
#define SPAWN_ASAN __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define SPAWN_ASAN 1
#else
#define SPAWN_ASAN 0
#endif

/* Whether this program can lend: it knows the calls of this machine. */
#ifdef __x86_64__
#define SPAWN_LENDS !SPAWN_ASAN
#else
#define SPAWN_LENDS 0
#endif

/* Starts a process in which @run(@arg) is called: that ends by execve(2) or _exit(2), and does not
 * return. @args is as clone3(2) has it, without a stack.
 *
 * With @lends the caller's memory is lent, not copied, until then, and the caller waits for so
 * long, as with vfork(2): neither side has to touch its pages anew. What @run changes in memory,
 * the caller finds changed; all else that clone3(2) copies is the process's own. Only for what goes
 * straight on to execve(2); and where the program has threads, which do not wait, @run takes no
 * lock and no heap. A copy all the same without SPAWN_LENDS.
 *
 * Returns the pid, or -1 with errno. */
pid_t spawn(struct clone_args *args, bool lends, void (*run)(const void *), const void *arg);
