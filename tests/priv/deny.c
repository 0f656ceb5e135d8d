/* SPDX-License-Identifier: MIT */
/* deny CALL... -- PROGRAM [ARG...]: an older kernel. The named system calls, in PROGRAM and all
 * that it starts, are ENOSYS. landlock=N: Landlock has ABI N, and knows nothing of what came later;
 * for that they are traced, ptrace(2). kernel=5.14: what came after it is not there. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* "openat2", or a number for what libseccomp is too old to know. */
static int number_of(const char *call)
{
	int nr = seccomp_syscall_resolve_name(call);
	char *end;

	if (nr != __NR_SCMP_ERROR)
		return nr;
	long n = strtol(call, &end, 10);
	return *call && !*end && n >= 0 ? (int)n : __NR_SCMP_ERROR;
}

static int fail(const char *what, int code)
{
	fprintf(stderr, "deny: %s: %s\n", what, strerror(code));
	return 125;
}

#ifdef __x86_64__
/* include/uapi/linux/landlock.h: how much of struct landlock_ruleset_attr each ABI knows, in words
 * of 64 bits, and how many rights over files. */
static const struct {
	size_t words;
	unsigned rights;
} abis[] = {{0, 0}, {1, 13}, {1, 14}, {1, 15}, {2, 15}, {2, 16}, {3, 16}};

#define ABIS (sizeof(abis) / sizeof(abis[0]))

/* What kernel @abi says of a ruleset: 0 where this one is to answer. */
static long create_ruleset(pid_t pid, int abi, const struct user_regs_struct *regs)
{
	uint64_t attr[8] = {0};
	struct iovec to = {attr, regs->rsi < sizeof(attr) ? regs->rsi : sizeof(attr)};
	struct iovec from = {(void *)regs->rdi, to.iov_len};

	if (regs->rdx & 1)
		return abi;
	if (process_vm_readv(pid, &to, 1, &from, 1, 0) < 0)
		return -EFAULT;
	for (size_t i = abis[abi].words; i < 8; i++)
		if (attr[i])
			return -E2BIG;
	return attr[0] >> abis[abi].rights ? -EINVAL : 0;
}

static void answer(pid_t pid, int abi)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0)
		return;
	long r = create_ruleset(pid, abi, &regs);
	if (!r)
		return;
	regs.orig_rax = -1ull; /* the call is not made */
	regs.rax = (unsigned long long)r;
	ptrace(PTRACE_SETREGS, pid, NULL, &regs);
}

/* Stops of a process group are kept, those of a new thread are not. */
static void go_on(pid_t pid, int status)
{
	int event = status >> 16, sig = WSTOPSIG(status);

	if (event == PTRACE_EVENT_STOP && sig != SIGTRAP)
		ptrace(PTRACE_LISTEN, pid, NULL, NULL);
	else
		ptrace(PTRACE_CONT, pid, NULL, (void *)(long)(event ? 0 : sig));
}

static int trace(pid_t program, int go, int abi)
{
	const long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
	int status = 0, result = 125;
	pid_t pid;

	if (ptrace(PTRACE_SEIZE, program, NULL, (void *)options) < 0)
		return fail("tracing", errno);
	close(go);
	/* What it leaves behind, a jail's supervisor, is an older kernel's as well. */
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (pid == program && WIFEXITED(status))
			result = WEXITSTATUS(status);
		if (!WIFSTOPPED(status))
			continue;
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
			answer(pid, abi);
		go_on(pid, status);
	}
	return result;
}
#else
#define ABIS 0
static int trace(pid_t program, int go, int abi)
{
	(void)program, (void)go, (void)abi;
	return fail("landlock=", ENOTSUP);
}
#endif

static int add_landlock(scmp_filter_ctx filter, int *abi)
{
	return *abi < 1 || (size_t)*abi >= ABIS
		   ? -EINVAL
		   : seccomp_rule_add(filter, SCMP_ACT_TRACE(0), SCMP_SYS(landlock_create_ruleset),
				      0);
}

/* process_mrelease(2) is the first call of 5.15, and its number the first of all that came later;
 * seccomp(2) has a flag more since 5.19, and Landlock was at its first ABI. */
static int add_kernel(scmp_filter_ctx filter, int *abi)
{
	enum { FIRST = 448, LAST = 480, WAIT_KILLABLE = 1 << 5 };
	int r = 0;

	*abi = 1;
	r = add_landlock(filter, abi);
	for (int nr = FIRST; r == 0 && nr <= LAST; nr++)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), nr, 0);
	return r < 0 ? r
		     : seccomp_rule_add(
			   filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(seccomp), 1,
			   SCMP_CMP(1, SCMP_CMP_MASKED_EQ, WAIT_KILLABLE, WAIT_KILLABLE));
}

static int add_rule(scmp_filter_ctx filter, const char *word, int *abi)
{
	if (strncmp(word, "landlock=", 9) == 0) {
		*abi = atoi(word + 9);
		return add_landlock(filter, abi);
	}
	if (strcmp(word, "kernel=5.14") == 0)
		return add_kernel(filter, abi);
	int nr = number_of(word);
	return nr == __NR_SCMP_ERROR ? -EINVAL
				     : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), nr, 0);
}

int main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int i = 1, abi = 0;

	if (!filter)
		return fail("libseccomp", ENOMEM);
	for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
		int r = add_rule(filter, argv[i], &abi);
		if (r < 0)
			return fail(argv[i], -r);
	}
	if (i + 1 >= argc)
		return fail("usage: deny CALL... -- PROGRAM [ARG...]", EINVAL);
	int go[2] = {-1, -1};
	char none;
	if (abi && pipe(go) < 0)
		return fail("a pipe", errno);
	pid_t program = abi ? fork() : 0;
	if (program > 0) {
		close(go[0]);
		return trace(program, go[1], abi);
	}
	close(go[1]);
	if (abi && read(go[0], &none, 1) != 0) /* its end: we are traced */
		return 125;
	close(go[0]);
	int r = seccomp_load(filter);
	if (r < 0)
		return fail("loading the filter", -r);
	seccomp_release(filter);
	execvp(argv[i + 1], argv + i + 1);
	return fail(argv[i + 1], errno);
}
