/* SPDX-License-Identifier: MIT */
/* stepper MODE N DIR COMMAND...: runs COMMAND, an immure, and lets the N-th of its calls that
 * change something below DIR be the last (kill: everything of it is killed there, as in a power
 * cut) or the first that finds the disk full (full: from there on every write and every new name is
 * ENOSPC). With N 0 nothing happens. Prints how many such calls there were on descriptor 3; ends as
 * the command ended, with 137 where it was killed here. For x86-64.
 *
 * A seccomp filter stops just these calls (ptrace(2), PTRACE_O_TRACESECCOMP); what the services
 * that are built do is not counted, only what runs the program of COMMAND itself. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/str.h"

enum kind { BY_FD, BY_PATH, BY_AT, BY_OPEN };

/* Which argument says where; whether a full disk refuses it. */
static const struct row {
	long nr;
	enum kind kind;
	int at; /* the descriptor's argument; the name's is the next */
	bool needs_space;
} rows[] = {
    {SYS_write, BY_FD, 0, true},     {SYS_pwrite64, BY_FD, 0, true},
    {SYS_writev, BY_FD, 0, true},    {SYS_copy_file_range, BY_FD, 2, true},
    {SYS_sendfile, BY_FD, 0, true},  {SYS_ftruncate, BY_FD, 0, false},
    {SYS_fsync, BY_FD, 0, true},     {SYS_fchown, BY_FD, 0, false},
    {SYS_fchmod, BY_FD, 0, false},   {SYS_fsetxattr, BY_FD, 0, true},
    {SYS_ioctl, BY_FD, 0, true}, /* a reflink */
    {SYS_openat, BY_OPEN, 0, true},  {SYS_openat2, BY_OPEN, 0, true},
    {SYS_mkdirat, BY_AT, 0, true},   {SYS_mkdir, BY_PATH, 0, true},
    {SYS_mknodat, BY_AT, 0, true},   {SYS_symlinkat, BY_AT, 1, true},
    {SYS_linkat, BY_AT, 2, true},    {SYS_renameat, BY_AT, 2, true},
    {SYS_renameat2, BY_AT, 2, true}, {SYS_rename, BY_PATH, 1, true},
    {SYS_unlinkat, BY_AT, 0, false}, {SYS_unlink, BY_PATH, 0, false},
    {SYS_rmdir, BY_PATH, 0, false},  {SYS_fchmodat, BY_AT, 0, false},
    {SYS_fchownat, BY_AT, 0, false}, {SYS_utimensat, BY_AT, 0, false},
};

static struct {
	bool kill;
	long at, seen;
	const char *dir;
	char program[PATH_MAX];
	pid_t main;
	int status;
} st;

static void filter(void)
{
	struct sock_filter f[2 * ARRAY_LEN(rows) + 2];
	size_t n = 0;

	f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					      offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						      (unsigned)rows[i].nr, 0, 1);
		f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	}
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog prog = {.len = (unsigned short)n, .filter = f};
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0) {
		perror("stepper: seccomp");
		_exit(125);
	}
}

static void link_of(pid_t tid, const char *what, char buf[PATH_MAX])
{
	char proc[64];

	snprintf(proc, sizeof(proc), "/proc/%d/%s", tid, what);
	ssize_t n = readlink(proc, buf, PATH_MAX - 1);
	buf[n < 0 ? 0 : n] = '\0';
}

static void read_text(pid_t tid, unsigned long from, char buf[PATH_MAX])
{
	struct iovec to = {buf, PATH_MAX - 1};
	struct iovec at = {(void *)(uintptr_t)from, 1};
	size_t n = 0;

	for (at.iov_len = PATH_MAX - 1; at.iov_len > 0; at.iov_len /= 2) {
		ssize_t got = process_vm_readv(tid, &to, 1, &at, 1, 0);
		if (got > 0) {
			n = (size_t)got;
			break;
		}
	}
	buf[n] = '\0';
}

static unsigned long argument(const struct user_regs_struct *r, int i)
{
	const unsigned long long v[] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9};
	return v[i];
}

static bool makes(pid_t tid, const struct user_regs_struct *r)
{
	uint64_t flags = r->rdx;

	if ((long)r->orig_rax == SYS_openat2) {
		struct iovec to = {&flags, sizeof(flags)};
		struct iovec at = {(void *)(uintptr_t)r->rdx, sizeof(flags)};
		if (process_vm_readv(tid, &to, 1, &at, 1, 0) < 0)
			return false;
	}
	return flags & (O_CREAT | O_TRUNC) || (flags & O_TMPFILE) == O_TMPFILE;
}

/* Whether the call works on something below the directory. */
static bool is_below(pid_t tid, const struct row *row, const struct user_regs_struct *r)
{
	char where[PATH_MAX], name[PATH_MAX] = "", link[32] = "cwd";
	int fd = (int)argument(r, row->at);

	if (row->kind == BY_OPEN && !makes(tid, r))
		return false;
	if (row->kind == BY_PATH)
		read_text(tid, argument(r, row->at), name);
	else if (row->kind != BY_FD)
		read_text(tid, argument(r, row->at + 1), name);
	if (row->kind != BY_PATH && fd != AT_FDCWD)
		snprintf(link, sizeof(link), "fd/%d", fd);
	link_of(tid, link, where);
	return str_after(name[0] == '/' ? name : where, st.dir) != NULL;
}

static bool is_ours(pid_t tid)
{
	char exe[PATH_MAX];

	link_of(tid, "exe", exe);
	return streq(exe, st.program);
}

/* A call stopped before it is made. */
static void look(pid_t tid)
{
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, tid, 0, &r) < 0 || !is_ours(tid))
		return;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].nr != (long)r.orig_rax || !is_below(tid, &rows[i], &r))
			continue;
		st.seen++;
		if (!st.at || st.seen < st.at)
			return;
		if (st.kill)
			_exit(137); /* PTRACE_O_EXITKILL: all of them, at once */
		if (!rows[i].needs_space)
			return;
		r.orig_rax = (unsigned long long)-1;
		r.rax = (unsigned long long)-ENOSPC;
		ptrace(PTRACE_SETREGS, tid, 0, &r);
		return;
	}
}

static void serve(pid_t tid, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16;

	if (!WIFSTOPPED(status)) {
		if (tid == st.main)
			st.status =
			    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		return;
	}
	if (event == PTRACE_EVENT_SECCOMP)
		look(tid);
	if (event == PTRACE_EVENT_STOP && (sig == SIGSTOP || sig == SIGTSTP)) {
		ptrace(PTRACE_LISTEN, tid, 0, 0);
		return;
	}
	ptrace(PTRACE_CONT, tid, 0, event ? 0 : sig);
}

/* Goes on in a child. Whoever waits for us waits until nobody is left of what it has killed, which
 * takes its moment: the next command is not to meet one that is about to die. */
static void outlive(void)
{
	int status = 0;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t pid = fork();
	if (pid == 0)
		return;
	waitpid(pid, &status, 0);
	while (waitpid(-1, NULL, __WALL) > 0)
		;
	_exit(pid < 0 ? 125 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int main(int argc, char **argv)
{
	const long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
	int go[2], status;
	pid_t tid;
	char c;

	if (argc < 5 || pipe(go) < 0 || !realpath(argv[4], st.program))
		return 125;
	outlive();
	st.kill = streq(argv[1], "kill");
	st.at = atol(argv[2]);
	st.dir = argv[3];
	st.main = fork();
	if (st.main == 0) {
		if (read(go[0], &c, 1) != 1)
			_exit(125);
		close(go[0]);
		close(go[1]);
		close(3);
		filter();
		execv(argv[4], argv + 4);
		_exit(126);
	}
	if (ptrace(PTRACE_SEIZE, st.main, 0, options) < 0 || write(go[1], "g", 1) != 1)
		return 125;
	while ((tid = waitpid(-1, &status, __WALL)) > 0)
		serve(tid, status);
	dprintf(3, "%ld\n", st.seen);
	return st.status;
}
