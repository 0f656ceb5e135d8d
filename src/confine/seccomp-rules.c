/* SPDX-License-Identifier: MIT */
#include "confine/seccomp-rules.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/attr.h"

#define NEW_NAMESPACES                                                                             \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET)
#define SET_ID (S_ISUID | S_ISGID)

/* clang-format off */
static const struct rule by_argument[] = {
	{"clone", 0, {{0, NEW_NAMESPACES, 0}, RULE_END}},
	/* only the query and what every process has */
	{"personality", 0, {{0, UINT32_MAX, PER_LINUX}, RULE_END}},
	{"personality", 0, {{0, UINT32_MAX, 0xffffffff}, RULE_END}},
	/* no devices */
	{"mknod", 0, {{1, S_IFMT | SET_ID, 0}, RULE_END}},
	{"mknod", 0, {{1, S_IFMT | SET_ID, S_IFREG}, RULE_END}},
	{"mknod", 0, {{1, S_IFMT | SET_ID, S_IFIFO}, RULE_END}},
	{"mknod", 0, {{1, S_IFMT | SET_ID, S_IFSOCK}, RULE_END}},
	{"mknodat", 0, {{2, S_IFMT | SET_ID, 0}, RULE_END}},
	{"mknodat", 0, {{2, S_IFMT | SET_ID, S_IFREG}, RULE_END}},
	{"mknodat", 0, {{2, S_IFMT | SET_ID, S_IFIFO}, RULE_END}},
	{"mknodat", 0, {{2, S_IFMT | SET_ID, S_IFSOCK}, RULE_END}},
};

/* Where no run set such modes: files that outlive the jail give nobody a user (systemd
 * CVE-2019-3843). */
static const struct rule without_set_id[] = {
	{"chmod", 0, {{1, SET_ID, 0}, RULE_END}},
	{"fchmod", 0, {{1, SET_ID, 0}, RULE_END}},
	{"fchmodat", 0, {{2, SET_ID, 0}, RULE_END}},
	{"fchmodat2", 452, {{2, SET_ID, 0}, RULE_END}},
	{"mkdir", 0, {{1, SET_ID, 0}, RULE_END}},
	{"mkdirat", 0, {{2, SET_ID, 0}, RULE_END}},
	{"creat", 0, {{1, SET_ID, 0}, RULE_END}},
	/* the mode counts only for what makes a file */
	{"open", 0, {{1, O_CREAT | __O_TMPFILE, 0}, RULE_END}},
	{"open", 0, {{2, SET_ID, 0}, RULE_END}},
	{"openat", 0, {{2, O_CREAT | __O_TMPFILE, 0}, RULE_END}},
	{"openat", 0, {{3, SET_ID, 0}, RULE_END}},
};

/* F_SETLEASE (1024), and F_SETDELEG (1040) of Linux 6.19: whoever opens a file that is leased waits
 * for lease-break-time, 45 seconds, and root may lease any file that is root's, read-only or not:
 * what all jails share, and configuration of the host's. By bits: below 1024; then 1025, 1026 to
 * 1027, to 1031, to 1039. */
#define ALL_BUT_LEASES(call) \
	{call, 0, {{1, ~UINT32_C(1023), 0}, RULE_END}}, \
	{call, 0, {{1, UINT32_MAX, 1025}, RULE_END}}, \
	{call, 0, {{1, ~UINT32_C(1), 1026}, RULE_END}}, \
	{call, 0, {{1, ~UINT32_C(3), 1028}, RULE_END}}, \
	{call, 0, {{1, ~UINT32_C(7), 1032}, RULE_END}}
static const struct rule without_leases[] = {
	ALL_BUT_LEASES("fcntl"),
	ALL_BUT_LEASES("fcntl64"),
};

/* MSG_FASTOPEN connects, and passes the kernel's hook for connect(2) by. */
static const struct rule without_fast_open[] = {
	{"sendto", 0, {{3, MSG_FASTOPEN, 0}, RULE_END}},
	{"sendmsg", 0, {{2, MSG_FASTOPEN, 0}, RULE_END}},
	{"sendmmsg", 0, {{3, MSG_FASTOPEN, 0}, RULE_END}},
};

/* systemd.exec(5), MemoryDenyWriteExecute=. */
static const struct rule without_write_execute[] = {
	{"mmap", 0, {{2, PROT_WRITE | PROT_EXEC, 0}, RULE_END}},
	{"mmap", 0, {{2, PROT_WRITE | PROT_EXEC, PROT_WRITE}, RULE_END}},
	{"mmap", 0, {{2, PROT_WRITE | PROT_EXEC, PROT_EXEC}, RULE_END}},
	{"mmap2", 0, {{2, PROT_WRITE | PROT_EXEC, 0}, RULE_END}},
	{"mmap2", 0, {{2, PROT_WRITE | PROT_EXEC, PROT_WRITE}, RULE_END}},
	{"mmap2", 0, {{2, PROT_WRITE | PROT_EXEC, PROT_EXEC}, RULE_END}},
	{"mprotect", 0, {{2, PROT_EXEC, 0}, RULE_END}},
	{"pkey_mprotect", 0, {{2, PROT_EXEC, 0}, RULE_END}},
	{"shmat", 0, {{2, SHM_EXEC, 0}, RULE_END}},
};

/* RestrictRealtime=. */
static const struct rule without_realtime[] = {
	{"sched_setscheduler", 0, {{1, UINT32_MAX, SCHED_NORMAL}, RULE_END}},
	{"sched_setscheduler", 0, {{1, UINT32_MAX, SCHED_BATCH}, RULE_END}},
	{"sched_setscheduler", 0, {{1, UINT32_MAX, SCHED_IDLE}, RULE_END}},
};
/* clang-format on */

/* What has its mode, or its flags, where no filter sees it. libc falls back to what can be seen. */
static const char *const absent[] = {"clone3"};
static const char *const absent_without_set_id[] = {"openat2"};
static const char *const absent_without_realtime[] = {"sched_setattr"};

static bool always(const struct call_set *set UNUSED)
{
	return true;
}

static bool no_set_id(const struct call_set *set)
{
	return !set->set_id_modes;
}

static bool no_leases(const struct call_set *set)
{
	return !set->leases;
}

static bool no_write_execute(const struct call_set *set)
{
	return set->no_write_execute;
}

static bool no_fast_open(const struct call_set *set)
{
	return set->no_fast_open;
}

static bool no_realtime(const struct call_set *set)
{
	return set->no_realtime;
}

static const struct limit limits[] = {
    {always, by_argument, ARRAY_LEN(by_argument), absent, ARRAY_LEN(absent)},
    {no_set_id, without_set_id, ARRAY_LEN(without_set_id), absent_without_set_id,
     ARRAY_LEN(absent_without_set_id)},
    {no_leases, without_leases, ARRAY_LEN(without_leases), NULL, 0},
    {no_write_execute, without_write_execute, ARRAY_LEN(without_write_execute), NULL, 0},
    {no_fast_open, without_fast_open, ARRAY_LEN(without_fast_open), NULL, 0},
    {no_realtime, without_realtime, ARRAY_LEN(without_realtime), absent_without_realtime,
     ARRAY_LEN(absent_without_realtime)},
};

static const char *const own_calls[] = {
    "brk",
    "mmap",
    "mmap2",
    "munmap",
    "mprotect",
    "madvise",
    "read",
    "write",
    "writev",
    "close",
    "sendmsg",
    "fcntl",
    "fcntl64",
    "prctl",
    "capget",
    "capset",
    "umask",
    "clone",
    "fork",
    "vfork",
    "wait4",
    "waitid",
    "setgroups",
    "setgroups32",
    "setresgid",
    "setresgid32",
    "setresuid",
    "setresuid32",
    "getresgid",
    "getresgid32",
    "getresuid",
    "getresuid32",
    "getgroups",
    "getgroups32",
    "chdir",
    "poll",
    "ppoll",
    "getrlimit",
    "ugetrlimit",
    "prlimit64",
    "stat",
    "stat64",
    "newfstatat",
    "fstatat64",
    "statx",
    "lstat",
    "statfs",
    "statfs64",
    "fstat",
    "fstat64",
    "getsid",
    "getpid",
    "gettid",
    "rt_sigaction",
    "rt_sigprocmask",
    "open",
    "openat",
    "execve",
    "exit",
    "exit_group",
    "seccomp",
    "set_tid_address",
    "set_robust_list",
    "rt_sigreturn",
    /* the self-test of Landlock */
    "landlock_create_ruleset",
    "socket",
    "bind",
    "keyctl",
};

const struct limit *seccomp_limits(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(limits);
	return limits;
}

const char *const *seccomp_own_calls(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(own_calls);
	return own_calls;
}
