/* SPDX-License-Identifier: MIT */
#include "confine/calls-policy.h"

#include <seccomp.h>
#include <stdio.h>

#include "base/alloc.h"
#include "confine/bpf.h"
#include "confine/refusals.h"

#define BASE(name)                                                                                 \
	{                                                                                          \
#name, 0, CALL_BASE                                                                \
	}
#define RARE(name)                                                                                 \
	{                                                                                          \
#name, 0, CALL_RARE                                                                \
	}
#define NEVER(name)                                                                                \
	{                                                                                          \
#name, 0, CALL_NEVER                                                               \
	}
/* Younger than libseccomp 2.5.4; numbers from include/uapi/asm-generic/unistd.h. */
#define NEW(name, number, class)                                                                   \
	{                                                                                          \
#name, number, class                                                               \
	}

/* clang-format off */
static const struct call_policy table[] = {
	/* descriptors and their contents */
	BASE(read), BASE(write), BASE(readv), BASE(writev), BASE(pread64), BASE(pwrite64),
	BASE(preadv), BASE(pwritev), BASE(preadv2), BASE(pwritev2), BASE(close), BASE(close_range),
	BASE(dup), BASE(dup2), BASE(dup3), BASE(fcntl), BASE(fcntl64), BASE(ioctl), BASE(lseek),
	BASE(_llseek), BASE(pipe), BASE(pipe2), BASE(sendfile), BASE(sendfile64), BASE(splice),
	BASE(tee), BASE(vmsplice), BASE(copy_file_range), BASE(fallocate), BASE(ftruncate),
	BASE(ftruncate64), BASE(fsync), BASE(fdatasync), BASE(sync), BASE(syncfs),
	BASE(sync_file_range), BASE(sync_file_range2), BASE(arm_sync_file_range), BASE(fadvise64),
	BASE(fadvise64_64), BASE(arm_fadvise64_64), BASE(readahead), BASE(flock),
	NEW(cachestat, 451, CALL_BASE),

	/* files by name */
	BASE(open), BASE(openat), BASE(openat2), BASE(creat), BASE(stat), BASE(stat64), BASE(lstat),
	BASE(lstat64), BASE(fstat), BASE(fstat64), BASE(newfstatat), BASE(fstatat64), BASE(statx),
	BASE(oldstat), BASE(oldlstat), BASE(oldfstat), BASE(access), BASE(faccessat),
	BASE(faccessat2), BASE(readlink), BASE(readlinkat), BASE(statfs), BASE(statfs64),
	BASE(fstatfs), BASE(fstatfs64), BASE(getdents), BASE(getdents64), BASE(readdir),
	BASE(getcwd), BASE(chdir), BASE(fchdir), BASE(mkdir), BASE(mkdirat), BASE(rmdir),
	BASE(unlink), BASE(unlinkat), BASE(rename), BASE(renameat), BASE(renameat2), BASE(link),
	BASE(linkat), BASE(symlink), BASE(symlinkat), BASE(mknod), BASE(mknodat), BASE(truncate),
	BASE(truncate64), BASE(chmod), BASE(fchmod), BASE(fchmodat), NEW(fchmodat2, 452, CALL_BASE),
	BASE(chown), BASE(chown32), BASE(lchown), BASE(lchown32), BASE(fchown), BASE(fchown32),
	BASE(fchownat), BASE(utime), BASE(utimes), BASE(futimesat), BASE(utimensat),
	BASE(utimensat_time64), BASE(umask), BASE(getxattr), BASE(lgetxattr), BASE(fgetxattr),
	BASE(listxattr), BASE(llistxattr), BASE(flistxattr), BASE(setxattr), BASE(lsetxattr),
	BASE(fsetxattr), BASE(removexattr), BASE(lremovexattr), BASE(fremovexattr),
	NEW(setxattrat, 463, CALL_BASE), NEW(getxattrat, 464, CALL_BASE),
	NEW(listxattrat, 465, CALL_BASE), NEW(removexattrat, 466, CALL_BASE),
	NEW(file_getattr, 468, CALL_BASE), NEW(file_setattr, 469, CALL_RARE),
	BASE(inotify_init), BASE(inotify_init1), BASE(inotify_add_watch), BASE(inotify_rm_watch),

	/* memory */
	BASE(brk), BASE(mmap), BASE(mmap2), BASE(munmap), BASE(mremap), BASE(mprotect),
	BASE(pkey_alloc), BASE(pkey_free), BASE(pkey_mprotect), BASE(madvise), BASE(mincore),
	BASE(msync), BASE(mlock), BASE(mlock2), BASE(mlockall), BASE(munlock), BASE(munlockall),
	BASE(memfd_create), BASE(remap_file_pages), BASE(membarrier), NEW(mseal, 462, CALL_BASE),
	NEW(map_shadow_stack, 453, CALL_BASE), BASE(process_mrelease), RARE(memfd_secret),

	/* processes, threads, waiting */
	BASE(fork), BASE(vfork), BASE(clone), BASE(clone3), BASE(execve), BASE(execveat),
	BASE(exit), BASE(exit_group), BASE(wait4), BASE(waitid), BASE(waitpid), BASE(getpid),
	BASE(getppid), BASE(gettid), BASE(getpgid), BASE(getpgrp), BASE(setpgid), BASE(getsid),
	BASE(setsid), BASE(prctl), BASE(arch_prctl), BASE(set_tid_address), BASE(set_thread_area),
	BASE(get_thread_area), BASE(set_robust_list), BASE(get_robust_list), BASE(rseq),
	BASE(futex), BASE(futex_time64), BASE(futex_waitv), NEW(futex_wake, 454, CALL_BASE),
	NEW(futex_wait, 455, CALL_BASE), NEW(futex_requeue, 456, CALL_BASE), BASE(pidfd_open),
	BASE(pidfd_send_signal), BASE(restart_syscall), BASE(seccomp),
	BASE(landlock_create_ruleset), BASE(landlock_add_rule), BASE(landlock_restrict_self),
	BASE(set_tls), BASE(cacheflush), BASE(breakpoint),

	/* users and rights: what a process has not, it does not get by asking */
	BASE(getuid), BASE(getuid32), BASE(geteuid), BASE(geteuid32), BASE(getgid), BASE(getgid32),
	BASE(getegid), BASE(getegid32), BASE(getresuid), BASE(getresuid32), BASE(getresgid),
	BASE(getresgid32), BASE(getgroups), BASE(getgroups32), BASE(setuid), BASE(setuid32),
	BASE(setgid), BASE(setgid32), BASE(setreuid), BASE(setreuid32), BASE(setregid),
	BASE(setregid32), BASE(setresuid), BASE(setresuid32), BASE(setresgid), BASE(setresgid32),
	BASE(setgroups), BASE(setgroups32), BASE(setfsuid), BASE(setfsuid32), BASE(setfsgid),
	BASE(setfsgid32), BASE(capget), BASE(capset),

	/* signals */
	BASE(rt_sigaction), BASE(rt_sigprocmask), BASE(rt_sigreturn), BASE(rt_sigpending),
	BASE(rt_sigsuspend), BASE(rt_sigtimedwait), BASE(rt_sigtimedwait_time64),
	BASE(rt_sigqueueinfo), BASE(rt_tgsigqueueinfo), BASE(sigaction), BASE(sigprocmask),
	BASE(sigreturn), BASE(sigpending), BASE(sigsuspend), BASE(signal), BASE(signalfd),
	BASE(signalfd4), BASE(sigaltstack), BASE(kill), BASE(tkill), BASE(tgkill), BASE(pause),

	/* time */
	BASE(time), BASE(gettimeofday), BASE(clock_gettime), BASE(clock_gettime64),
	BASE(clock_getres), BASE(clock_getres_time64), BASE(clock_nanosleep),
	BASE(clock_nanosleep_time64), BASE(nanosleep), BASE(times), BASE(alarm), BASE(getitimer),
	BASE(setitimer), BASE(timer_create), BASE(timer_delete), BASE(timer_getoverrun),
	BASE(timer_gettime), BASE(timer_gettime64), BASE(timer_settime), BASE(timer_settime64),
	BASE(timerfd_create), BASE(timerfd_gettime), BASE(timerfd_gettime64),
	BASE(timerfd_settime), BASE(timerfd_settime64),
	NEVER(settimeofday), NEVER(stime), NEVER(clock_settime), NEVER(clock_settime64),
	/* reading the clock's state is what they mostly do; setting it takes CAP_SYS_TIME */
	RARE(adjtimex), RARE(clock_adjtime), RARE(clock_adjtime64),

	/* waiting for events */
	BASE(select), BASE(_newselect), BASE(pselect6), BASE(pselect6_time64), BASE(poll),
	BASE(ppoll), BASE(ppoll_time64), BASE(epoll_create), BASE(epoll_create1), BASE(epoll_ctl),
	BASE(epoll_ctl_old), BASE(epoll_wait), BASE(epoll_wait_old), BASE(epoll_pwait),
	BASE(epoll_pwait2), BASE(eventfd), BASE(eventfd2), BASE(io_setup), BASE(io_destroy),
	BASE(io_submit), BASE(io_cancel), BASE(io_getevents), BASE(io_pgetevents),
	BASE(io_pgetevents_time64),

	/* sockets */
	BASE(socket), BASE(socketpair), BASE(socketcall), BASE(bind), BASE(listen), BASE(accept),
	BASE(accept4), BASE(connect), BASE(getsockname), BASE(getpeername), BASE(getsockopt),
	BASE(setsockopt), BASE(send), BASE(sendto), BASE(sendmsg), BASE(sendmmsg), BASE(recv),
	BASE(recvfrom), BASE(recvmsg), BASE(recvmmsg), BASE(recvmmsg_time64), BASE(shutdown),

	/* System V and POSIX communication: of the jail's own namespace */
	BASE(ipc), BASE(shmget), BASE(shmat), BASE(shmdt), BASE(shmctl), BASE(semget), BASE(semop),
	BASE(semtimedop), BASE(semtimedop_time64), BASE(semctl), BASE(msgget), BASE(msgsnd),
	BASE(msgrcv), BASE(msgctl), BASE(mq_open), BASE(mq_unlink), BASE(mq_timedsend),
	BASE(mq_timedsend_time64), BASE(mq_timedreceive), BASE(mq_timedreceive_time64),
	BASE(mq_notify), BASE(mq_getsetattr),

	/* limits, scheduling, the system in numbers */
	BASE(getrlimit), BASE(ugetrlimit), BASE(setrlimit), BASE(prlimit64), BASE(getrusage),
	BASE(getpriority), BASE(setpriority), BASE(nice), BASE(ioprio_get), BASE(ioprio_set),
	BASE(sched_yield), BASE(sched_getaffinity), BASE(sched_setaffinity), BASE(sched_getparam),
	BASE(sched_setparam), BASE(sched_getscheduler), BASE(sched_setscheduler),
	BASE(sched_get_priority_max), BASE(sched_get_priority_min), BASE(sched_rr_get_interval),
	BASE(sched_rr_get_interval_time64), BASE(sched_getattr), BASE(sched_setattr),
	BASE(getcpu), BASE(uname), BASE(olduname), BASE(oldolduname), BASE(sysinfo),
	BASE(getrandom), BASE(personality), RARE(get_mempolicy), RARE(set_mempolicy), RARE(mbind),
	RARE(migrate_pages), RARE(move_pages), RARE(set_mempolicy_home_node), RARE(modify_ldt),

	/* at others' processes: of the jail, and only with the same user */
	RARE(ptrace), RARE(process_vm_readv), RARE(process_vm_writev), RARE(kcmp),
	RARE(pidfd_getfd), RARE(process_madvise),

	/* another root, other mounts, other namespaces */
	RARE(chroot), RARE(mount), RARE(umount), RARE(umount2), RARE(pivot_root), RARE(unshare),
	RARE(setns), RARE(fsopen), RARE(fsconfig), RARE(fsmount), RARE(fspick), RARE(open_tree),
	NEW(open_tree_attr, 467, CALL_RARE), RARE(move_mount), RARE(mount_setattr),
	NEW(statmount, 457, CALL_RARE), NEW(listmount, 458, CALL_RARE), RARE(sethostname),
	RARE(setdomainname),

	/* keys: each user's ring is the host's too */
	RARE(add_key), RARE(request_key), RARE(keyctl),

	/* seldom met */
	RARE(name_to_handle_at), RARE(fanotify_init), RARE(fanotify_mark), RARE(quotactl),
	RARE(quotactl_fd), RARE(syslog), RARE(vhangup), RARE(ustat), RARE(sysfs), RARE(uselib),
	RARE(bdflush), NEW(lsm_get_self_attr, 459, CALL_RARE),
	NEW(lsm_set_self_attr, 460, CALL_NEVER), NEW(lsm_list_modules, 461, CALL_RARE),

	/* the host itself, or a way around every filter */
	NEVER(open_by_handle_at), NEVER(init_module), NEVER(finit_module), NEVER(delete_module),
	NEVER(create_module), NEVER(query_module), NEVER(get_kernel_syms), NEVER(kexec_load),
	NEVER(kexec_file_load), NEVER(reboot), NEVER(swapon), NEVER(swapoff), NEVER(acct),
	NEVER(iopl), NEVER(ioperm), NEVER(vm86), NEVER(vm86old), NEVER(bpf),
	NEVER(perf_event_open), NEVER(userfaultfd), NEVER(lookup_dcookie), NEVER(nfsservctl),
	NEVER(_sysctl), NEVER(pciconfig_read), NEVER(pciconfig_write), NEVER(pciconfig_iobase),
	NEVER(io_uring_setup), NEVER(io_uring_enter), NEVER(io_uring_register),
};
/* clang-format on */

const struct call_policy *calls_policy(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(table);
	return table;
}

const struct call_policy *calls_policy_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (streq(table[i].name, name))
			return &table[i];
	return NULL;
}

/* By architecture: the native one, its companion. */
static struct index {
	uint32_t arch; /* 0: not filled yet */
	const struct call_policy *by_number[REFUSAL_NUMBERS];
} indexes[2];

static void fill(struct index *ix, uint32_t arch)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		int nr = bpf_number(arch, table[i].name, table[i].number);
		if (nr >= 0 && nr < REFUSAL_NUMBERS)
			ix->by_number[nr] = &table[i];
	}
	ix->arch = arch;
}

const struct call_policy *calls_policy_at(uint32_t audit_arch, int nr)
{
	struct index *ix = &indexes[audit_arch != seccomp_arch_native()];

	if (nr < 0 || nr >= REFUSAL_NUMBERS)
		return NULL;
	if (!ix->arch)
		fill(ix, audit_arch == seccomp_arch_native() ? audit_arch : bpf_companion());
	return ix->arch == audit_arch ? ix->by_number[nr] : NULL;
}

uint32_t seccomp_native(int *ret_number, const char *name)
{
	*ret_number = bpf_number(seccomp_arch_native(), name, 0);
	return seccomp_arch_native();
}

void seccomp_answers(struct refusal_answers *ret)
{
	ret->arch = seccomp_arch_native();
	for (int nr = 0; nr < REFUSAL_NUMBERS; nr++)
		ret->by_number[nr] = (uint8_t)seccomp_refusal(ret->arch, nr);
}

const char *refusal_name(const struct refusal *r, char *buf, size_t size)
{
	const struct call_policy *row = calls_policy_at(r->arch, r->call);
	CLEANUP_STR char *other = row ? NULL : seccomp_syscall_resolve_num_arch(r->arch, r->call);

	if (row || other)
		snprintf(buf, size, "%s", row ? row->name : other);
	else
		snprintf(buf, size, "call %d", r->call);
	return buf;
}
