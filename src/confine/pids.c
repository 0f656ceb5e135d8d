/* SPDX-License-Identifier: MIT */
/* The pacer is two processes, since ns_last_pid is that of whoever reads or writes it: the outer
 * half looks at our counter and puts it into shared memory, the inner half, in the jail's pid
 * namespace, writes it there. The inner half lives among hostile processes while the service
 * starts. It is not dumpable before it gets there (no ptrace, no /proc/PID/root without SYS_PTRACE,
 * which nobody inside has), holds one descriptor and one capability, and whoever may kill it ends
 * the pacing, nothing more.
 *
 * The outer half is told to end, never killed: a pid namespace is not gone before all in it are
 * reaped, and only the outer half is sure to do that for the inner one. */
#include "confine/pids.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/spawn.h"
#include "confine/parts.h"

#define COUNTER "/proc/sys/kernel/ns_last_pid"
#define LOOK_NS 50000

/* Linux 5.9, newer than some headers. */
#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40
#endif

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* The allocator goes round: a number that was just given back is the last that it will give again.
 */
pid_t pids_free(void)
{
	pid_t pid = vfork(); /* it has nothing to do: no page needs to be copied for it */

	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return 0;
	reap(pid);
	return pid;
}

pid_t pids_spawn(pid_t number, bool lends, void (*run)(const void *), const void *arg)
{
	pid_t both[] = {number, number};
	struct clone_args args = {
	    .exit_signal = SIGCHLD,
	    .set_tid = (uintptr_t)both,
	    .set_tid_size = 2,
	};

	for (int tries = 0; tries < 4 && number > tries + 1; tries++) {
		both[0] = both[1] = number - tries; /* upwards the host will soon want them */
		pid_t pid = spawn(&args, lends, run, arg);
		if (pid >= 0)
			return pid;
		if (errno != EEXIST)
			break;
	}
	args.set_tid = args.set_tid_size = 0;
	return spawn(&args, lends, run, arg);
}

static void keep_one_right(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};
	uint64_t right = UINT64_C(1) << CAP_CHECKPOINT_RESTORE;

	for (int i = 0; i < 2; i++)
		data[i].permitted = data[i].effective = (uint32_t)(right >> (32 * i));
	if (syscall(SYS_capset, &head, data) < 0)
		_exit(1); /* a kernel before 5.9 wants SYS_ADMIN, which is too much to take in there
			   */
}

static void rest_a_moment(void)
{
	const struct timespec t = {.tv_nsec = LOOK_NS};
	nanosleep(&t, NULL);
}

static NORETURN void inner_half(const int *shared, int counter, long end)
{
	char text[16];
	int written = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_all_but(&counter, 1);
	keep_one_right();
	while (clock_ms() < end) {
		int now = __atomic_load_n(shared, __ATOMIC_ACQUIRE);
		if (now > 0 && now != written) {
			int n = snprintf(text, sizeof(text), "%d", now);
			if (pwrite(counter, text, (size_t)n, 0) != n)
				_exit(1);
			written = now;
		}
		rest_a_moment();
	}
	_exit(0);
}

/* 0 where it cannot be read, which it always can. */
static int look(int counter)
{
	char text[16];
	ssize_t n = pread(counter, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return atoi(text);
}

/* Rests; whether it is time to end: the caller says so or died, or the inner half did. */
static bool told_to_end(const sigset_t *all)
{
	const struct timespec t = {.tv_nsec = LOOK_NS};
	return sigtimedwait(all, NULL, &t) > 0;
}

static NORETURN void outer_half(int init_fd, int *shared, pid_t caller, const sigset_t *all)
{
	long end = clock_ms() + PACE_SECONDS * 1000L;
	int counter = open(COUNTER, O_RDWR | O_CLOEXEC);
	const int keep[] = {counter, init_fd};

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_TIMERSLACK, 1);
	prctl(PR_SET_NAME, "immure-pace");
	signal(SIGCHLD, SIG_DFL);
	close_all_but(keep, ARRAY_LEN(keep)); /* a listener would not end with the caller's */
	if (counter < 0 || getppid() != caller)
		_exit(1);
	*shared = look(counter);
	if (setns(init_fd, CLONE_NEWPID) < 0)
		_exit(1);
	pid_t inner = fork();
	if (inner == 0)
		inner_half(shared, counter, end);
	while (inner > 0 && clock_ms() < end && !told_to_end(all))
		__atomic_store_n(shared, look(counter), __ATOMIC_RELEASE);
	if (inner > 0) {
		kill(inner, SIGKILL);
		reap(inner);
	}
	_exit(0);
}

pid_t pids_pace(int init_fd)
{
	int *shared =
	    mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sigset_t all, old;

	if (shared == MAP_FAILED)
		return 0;
	/* What the caller does at a signal is not the pacer's to do. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid_t caller = getpid(), pid = fork();
	if (pid == 0)
		outer_half(init_fd, shared, caller, &all);
	sigprocmask(SIG_SETMASK, &old, NULL);
	munmap(shared, sizeof(*shared));
	return pid > 0 ? pid : 0;
}

void pids_pace_end(pid_t *pacer)
{
	if (*pacer <= 0)
		return;
	kill(*pacer, SIGTERM); /* not reaped yet: the number is its own */
	reap(*pacer);
	*pacer = 0;
}
