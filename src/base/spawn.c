/* SPDX-License-Identifier: MIT */
/* A process on lent memory needs a stack of its own, else its calls would overwrite what the
 * caller's functions return to; and none of C may come between the two, so the few instructions
 * where the ways part are written down. With a copy of the memory, C does. */
#include "base/spawn.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static pid_t on_a_copy(struct clone_args *args, void (*run)(const void *), const void *arg)
{
	pid_t pid = (pid_t)syscall(SYS_clone3, args, sizeof(*args));

	if (pid == 0)
		run(arg);
	return pid;
}

#if SPAWN_LENDS
/* Between the caller's last frame and the first one of the process: more than what lies below a
 * frame's address. */
#define GAP 1024

/* The stack of the process is what the caller's has not used yet, so it is as deep and needs no
 * mapping. How much of it is said to be the process's makes no difference to the kernel.
 *
 * A call keeps all registers but three (syscall(2)), so the process has @run and @arg too. */
static __attribute__((noinline)) long part(struct clone_args *args, void (*run)(const void *),
					   const void *arg)
{
	long ret;

	args->stack_size = GAP;
	args->stack = (uintptr_t)__builtin_frame_address(0) - GAP - args->stack_size;
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "mov %[arg], %%rdi\n\t"
			 "call *%[run]\n\t"
			 "ud2\n"
			 "1:"
			 : "=a"(ret)
			 : "a"(SYS_clone3), "D"(args),
			   "S"(sizeof(*args)), [run] "r"(run), [arg] "r"(arg)
			 : "rcx", "r11", "cc", "memory");
	return ret;
}

static pid_t on_lent_memory(struct clone_args *args, void (*run)(const void *), const void *arg)
{
	struct clone_args lent = *args;

	lent.flags |= CLONE_VM | CLONE_VFORK;
	long pid = part(&lent, run, arg);
	if (pid < 0)
		errno = (int)-pid;
	return pid < 0 ? -1 : (pid_t)pid;
}
#else
#define on_lent_memory on_a_copy
#endif

pid_t spawn(struct clone_args *args, bool lends, void (*run)(const void *), const void *arg)
{
	return (lends ? on_lent_memory : on_a_copy)(args, run, arg);
}
