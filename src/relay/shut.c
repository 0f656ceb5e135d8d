/* SPDX-License-Identifier: MIT */
#include "relay/shut.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/kernel.h"
#include "base/root.h"

#define DESCRIPTORS 4096

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE AUDIT_ARCH_RISCV64
#elif defined(__s390x__)
#define NATIVE AUDIT_ARCH_S390X
#elif defined(__powerpc64__)
#define NATIVE AUDIT_ARCH_PPC64LE
#else
#error "no audit architecture for the relay's filter"
#endif

/* Calls that the loop makes, and those that a C library makes for it. */
static const unsigned short calls[] = {
    SYS_recvmsg,    SYS_sendmsg,      SYS_sendto,	 SYS_write,
    SYS_read,	    SYS_close,	      SYS_accept4,	 SYS_setsockopt,
    SYS_ioctl,	    SYS_ppoll,	      SYS_epoll_pwait,	 SYS_epoll_ctl,
    SYS_fstat,	    SYS_pread64,      SYS_clock_gettime, SYS_munmap,
    SYS_mremap,	    SYS_madvise,      SYS_brk,		 SYS_getpid,
    SYS_exit_group, SYS_rt_sigreturn, SYS_fcntl,	 SYS_restart_syscall,
    SYS_fallocate,  SYS_getsockopt,   SYS_shutdown,
#ifdef SYS_poll
    SYS_poll,
#endif
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
#ifdef SYS_newfstatat /* as fstat(2) of a descriptor; there is no file to be named */
    SYS_newfstatat,
#endif
};

/* Each call costs two instructions; mmap(2) and mprotect(2) are let through where they make nothing
 * executable. */
#define HEAD	 4
#define FILTER_N (HEAD + 2 * (sizeof(calls) / sizeof(calls[0])) + 6)
#define LOW_WORD(arg)                                                                              \
	(offsetof(struct seccomp_data, args[arg]) +                                                \
	 (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0))

static int set_filter(void)
{
	const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_filter refuse =
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA));
	struct sock_filter f[FILTER_N] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 1, 0),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	size_t n = HEAD;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
		f[n++] = allow;
	}
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 1, 0);
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 3);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LOW_WORD(2));
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0);
	f[n++] = allow;
	f[n++] = refuse;
	const struct sock_fprog program = {.len = (unsigned short)n, .filter = f};
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}

static int empty_root(void)
{
	int ctx = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (ctx < 0 || fsconfig(ctx, FSCONFIG_SET_STRING, "size", "4k", 0) < 0 ||
	    fsconfig(ctx, FSCONFIG_SET_STRING, "mode", "0555", 0) < 0 ||
	    fsconfig(ctx, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	int mnt =
	    fsmount(ctx, FSMOUNT_CLOEXEC,
		    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	close(ctx);
	if (mnt < 0)
		return -errno;
	int r = root_own();
	if (r == 0 && move_mount(mnt, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		r = -errno;
	if (r == 0)
		r = root_pivot(mnt);
	close(mnt);
	return r;
}

static int set_limits(void)
{
	const struct rlimit none = {0, 0}, descriptors = {DESCRIPTORS, DESCRIPTORS};

	if (setrlimit(RLIMIT_CORE, &none) < 0 || setrlimit(RLIMIT_NPROC, &none) < 0 ||
	    setrlimit(RLIMIT_NOFILE, &descriptors) < 0)
		return -errno;
	return 0;
}

static int drop_rights(uid_t uid)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0}, {0}};

	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 ||
	    setresuid(uid, uid, uid) < 0 || syscall(SYS_capset, &head, none) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

int shut_in(uid_t uid, struct err *e)
{
	time_t now = time(NULL);
	struct tm tm;

	tzset();
	localtime_r(&now, &tm);
	if (unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS) < 0)
		return err_errno(e, -errno, "making namespaces for the relay");
	int r = empty_root();
	if (r == 0)
		r = set_limits();
	if (r == 0)
		r = drop_rights(uid);
	if (r == 0)
		r = set_filter();
	return r < 0 ? err_errno(e, r, "confining the relay") : 0;
}
