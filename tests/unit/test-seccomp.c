/* SPDX-License-Identifier: MIT */
/* The filter on real calls of children that have loaded it, with the thread that refuses. */
#include "confine/calls-policy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "check.h"
#include "confine/refusals.h"

#define LET_THROUGH 0 /* whatever the kernel says of it: not the filter */

static long get_pid(void)
{
	return syscall(SYS_getpid);
}
static long trace(void)
{
	return syscall(SYS_ptrace, PTRACE_PEEKUSER, 0, 0, 0);
}
static long unknown(void)
{
	return syscall(500);
}
static long kexec(void)
{
	return syscall(SYS_kexec_load, 0, 0, 0, ~0ul);
}
static long uring(void)
{
	return syscall(SYS_io_uring_setup, 0, NULL);
}
static long clone_user(void)
{
	return syscall(SYS_clone, CLONE_NEWUSER | CLONE_VM, 0, 0, 0, 0);
}
static long clone_three(void)
{
	return syscall(SYS_clone3, NULL, 0);
}
static long unshare_user(void)
{
	return syscall(SYS_unshare, CLONE_NEWUSER);
}
static long sti(void)
{
	return syscall(SYS_ioctl, -1, (long)TIOCSTI, 0);
}
static long sti_high(void)
{
	return syscall(SYS_ioctl, -1, (long)TIOCSTI | 1l << 32, 0);
}
static long line(void)
{
	return syscall(SYS_ioctl, -1, (long)TIOCSETD, 0);
}
static long winsize(void)
{
	return syscall(SYS_ioctl, -1, (long)TIOCGWINSZ, 0);
}
static long packet(void)
{
	return syscall(SYS_socket, AF_PACKET, SOCK_DGRAM, 0);
}
static long vsock(void)
{
	return syscall(SYS_socket, AF_VSOCK, SOCK_STREAM, 0);
}
static long inet(void)
{
	return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}
static long route(void)
{
	return syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0);
}
static long audit(void)
{
	return syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 9);
}
static long linux32(void)
{
	return syscall(SYS_personality, PER_LINUX32);
}
static long query(void)
{
	return syscall(SYS_personality, 0xffffffff);
}
static long set_id(void)
{
	return syscall(SYS_chmod, "/nonexistent", 04755);
}
static long set_gid(void)
{
	return syscall(SYS_fchmod, -1, 02755);
}
static long set_id_open(void)
{
	return syscall(SYS_openat, AT_FDCWD, "/nonexistent/x", O_CREAT, 04755);
}
static long set_id_unnamed(void)
{
	return syscall(SYS_openat, AT_FDCWD, "/nonexistent", __O_TMPFILE | O_RDWR, 04755);
}
static long set_id_high(void)
{
	return syscall(SYS_openat, AT_FDCWD, "/nonexistent/x", O_CREAT | 1l << 32, 02755);
}
static long plain_make(void)
{
	return syscall(SYS_openat, AT_FDCWD, "/nonexistent/x", O_CREAT, 0644);
}
static long odd_mode(void)
{
	return syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY, 04755);
}
static long lease(void)
{
	return syscall(SYS_fcntl, -1, 1024, 0);
}
static long lease_high(void)
{
	return syscall(SYS_fcntl, -1, 1024 | 1l << 32, 0);
}
static long delegation(void)
{
	return syscall(SYS_fcntl, -1, 1040, 0);
}
/* The kernel finds no such descriptor in any of them. */
static long other_fcntl(void)
{
	for (int cmd = 0; cmd < 1040; cmd++)
		if (cmd != 1024 && (syscall(SYS_fcntl, -1, cmd, 0) == 0 || errno != EBADF))
			return -1;
	return 0;
}
static long mptcp(void)
{
	return syscall(SYS_socket, AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 262);
}
static long sctp(void)
{
	return syscall(SYS_socket, AF_INET, SOCK_STREAM, 132);
}
/* What holds UDP's ports (SocketBindDeny=udp) does not know these. */
static long udplite(void)
{
	return syscall(SYS_socket, AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
}
static long sctp_high(void)
{
	return syscall(SYS_socket, AF_INET, SOCK_STREAM, 132 | 1l << 32);
}
static long tcp_by_name(void)
{
	return syscall(SYS_socket, AF_INET, SOCK_STREAM, IPPROTO_TCP);
}
/* Without CAP_NET_RAW the kernel refuses it: not the filter's business. */
static long raw(void)
{
	long r = syscall(SYS_socket, AF_INET, SOCK_RAW, 89);
	return r < 0 && errno == EPERM && geteuid() != 0 ? 0 : r;
}
static long fast_open(void)
{
	return syscall(SYS_sendto, -1, "", 0, MSG_FASTOPEN, NULL, 0);
}
static long fast_open_message(void)
{
	return syscall(SYS_sendmsg, -1, NULL, MSG_FASTOPEN | MSG_NOSIGNAL);
}
static long plain_send(void)
{
	return syscall(SYS_sendto, -1, "", 0, MSG_NOSIGNAL, NULL, 0);
}
static long plain_mode(void)
{
	return syscall(SYS_chmod, "/nonexistent", 0755);
}
static long device(void)
{
	return syscall(SYS_mknod, "/nonexistent/x", S_IFCHR | 0600, 0x103);
}
static long fifo(void)
{
	return syscall(SYS_mknod, "/nonexistent/x", S_IFIFO | 0600, 0);
}
static long root(void)
{
	return syscall(SYS_chroot, "/nonexistent");
}
static long mounts(void)
{
	return syscall(SYS_mount, 0, 0, 0, 0, 0);
}
static long handle(void)
{
	return syscall(SYS_open_by_handle_at, -1, 0, 0);
}

static long unshare_net(void)
{
	return syscall(SYS_unshare, CLONE_NEWNET);
}
static long wx_map(void)
{
	return syscall(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == -1
		   ? -1
		   : 0;
}
static long x_map(void)
{
	return syscall(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0) == -1
		   ? -1
		   : 0;
}
static long made_executable(void)
{
	return syscall(SYS_mprotect, 0, 0, PROT_READ | PROT_EXEC);
}
static long shared_execute(void)
{
	return syscall(SYS_shmat, -1, NULL, SHM_EXEC);
}
static long shared(void)
{
	return syscall(SYS_shmat, -1, NULL, 0);
}
static long fifo_scheduling(void)
{
	return syscall(SYS_sched_setscheduler, -1, SCHED_FIFO, NULL);
}
static long batch_scheduling(void)
{
	return syscall(SYS_sched_setscheduler, -1, SCHED_BATCH, NULL);
}
static long new_scheduling(void)
{
	return syscall(SYS_sched_setattr, -1, NULL, 0);
}
static long local(void)
{
	return syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
}
static long owner(void)
{
	return syscall(SYS_chown, "/nonexistent", 1, 1);
}

static void *nothing(void *arg)
{
	return arg;
}

static long thread(void)
{
	pthread_t t;
	int r = pthread_create(&t, NULL, nothing, NULL);

	errno = r;
	return r ? -1 : pthread_join(t, NULL);
}

static long child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return waitpid(pid, NULL, 0);
}

#ifdef SYS_open
static long set_id_old_open(void)
{
	return syscall(SYS_open, "/nonexistent/x", O_CREAT, 04755);
}

static long old_open(void)
{
	return syscall(SYS_open, "/dev/null", O_RDONLY);
}
#endif

#ifdef __x86_64__
static long x32(void)
{
	return syscall(0x40000000 | SYS_getpid);
}

static long foreign(void)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20l) : "memory"); /* getpid of i386 */
	errno = r < 0 ? (int)-r : 0;
	return r < 0 ? -1 : r;
}

/* A kernel without i386's calls ends who makes one. */
static bool lacks_foreign(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(foreign() > 0 ? 0 : 1);
	return waitpid(pid, &status, 0) != pid || status != 0;
}
#endif

enum learnt { NOTHING, ALL_OF_IT, HARDENED };

static const struct {
	const char *what;
	long (*call)(void);
	/* Without and with what is learnt, and that with hardening on top; LET_THROUGH. */
	int refused[3];
} rows[] = {
    {"getpid", get_pid, {0, 0, 0}},
    {"fork", child, {0, 0, 0}},
    {"a thread", thread, {0, 0, 0}},
    {"a socket", inet, {0, 0, EAFNOSUPPORT}},
    {"route netlink", route, {0, 0, EAFNOSUPPORT}},
    {"a personality query", query, {0, 0, 0}},
    {"a plain mode", plain_mode, {0, 0, 0}},
    {"a mode that does not count", odd_mode, {0, 0, 0}},
    {"a file", plain_make, {0, 0, 0}},
    {"a fifo", fifo, {0, 0, 0}},
    {"TIOCGWINSZ", winsize, {0, 0, 0}},
    {"ptrace", trace, {EPERM, 0, EPERM}},
    {"chroot", root, {EPERM, 0, 0}},
    {"mount", mounts, {EPERM, 0, 0}},
    {"audit netlink", audit, {EAFNOSUPPORT, 0, EAFNOSUPPORT}},
    {"AF_PACKET", packet, {EAFNOSUPPORT, 0, 0}},
    {"MPTCP", mptcp, {EPROTONOSUPPORT, EPROTONOSUPPORT, EPROTONOSUPPORT}},
    {"SCTP", sctp, {EAFNOSUPPORT, 0, EAFNOSUPPORT}},
    {"UDP-Lite", udplite, {EAFNOSUPPORT, EAFNOSUPPORT, EAFNOSUPPORT}},
    {"SCTP, with high bits", sctp_high, {EAFNOSUPPORT, 0, EAFNOSUPPORT}},
    {"TCP by name", tcp_by_name, {0, 0, EAFNOSUPPORT}},
    {"a raw socket", raw, {0, 0, EAFNOSUPPORT}},
    {"a send that connects", fast_open, {0, 0, EPERM}},
    {"a message that connects", fast_open_message, {0, 0, EPERM}},
    {"a send", plain_send, {0, 0, 0}},
    {"a lease", lease, {EPERM, 0, 0}},
    {"a lease, with high bits", lease_high, {EPERM, 0, 0}},
    {"a delegation", delegation, {EPERM, 0, 0}},
    {"all else of fcntl", other_fcntl, {0, 0, 0}},
    {"u+s", set_id, {EPERM, 0, EPERM}},
    {"g+s", set_gid, {EPERM, 0, EPERM}},
    {"open with u+s", set_id_open, {EPERM, 0, EPERM}},
    {"open of no name with u+s", set_id_unnamed, {EPERM, 0, EPERM}},
    {"open with g+s and high bits", set_id_high, {EPERM, 0, EPERM}},
#ifdef SYS_open
    {"the old open with u+s", set_id_old_open, {EPERM, 0, EPERM}},
    {"the old open", old_open, {0, 0, 0}},
#endif
    {"AF_VSOCK", vsock, {EAFNOSUPPORT, EAFNOSUPPORT, EAFNOSUPPORT}},
    {"an unknown number", unknown, {ENOSYS, ENOSYS, ENOSYS}},
    {"io_uring_setup", uring, {ENOSYS, ENOSYS, ENOSYS}},
    {"clone3", clone_three, {ENOSYS, ENOSYS, ENOSYS}},
    {"kexec_load", kexec, {EPERM, EPERM, EPERM}},
    {"open_by_handle_at", handle, {EPERM, EPERM, EPERM}},
    {"clone with a user namespace", clone_user, {EPERM, EPERM, EPERM}},
    {"unshare of a user namespace", unshare_user, {EPERM, 0, EPERM}},
    {"TIOCSTI", sti, {EPERM, EPERM, EPERM}},
    {"TIOCSTI with high bits", sti_high, {EPERM, EPERM, EPERM}},
    {"TIOCSETD", line, {EPERM, EPERM, EPERM}},
    {"another personality", linux32, {EPERM, EPERM, EPERM}},
    {"a device", device, {EPERM, EPERM, EPERM}},
    {"unshare of a network", unshare_net, {EPERM, 0, 0}},
    {"memory to write and execute", wx_map, {0, 0, EPERM}},
    {"memory to execute", x_map, {0, 0, 0}},
    {"memory made executable", made_executable, {0, 0, EPERM}},
    {"shared memory to execute", shared_execute, {0, 0, EPERM}},
    {"shared memory", shared, {0, 0, 0}},
    {"realtime", fifo_scheduling, {0, 0, EPERM}},
    {"batch", batch_scheduling, {0, 0, 0}},
    {"sched_setattr", new_scheduling, {0, 0, ENOSYS}},
    {"a local socket", local, {0, 0, 0}},
    {"chown", owner, {0, 0, EPERM}},
#ifdef __x86_64__
    {"x32", x32, {ENOSYS, ENOSYS, ENOSYS}},
    {"int 0x80", foreign, {ENOSYS, 0, ENOSYS}},
#endif
};

/* In the child: answers each row with the errno of a refusal, or with LET_THROUGH. */
/* What this kernel has not at all. */
static bool absent[ARRAY_LEN(rows)];

static void look_for_absent(void)
{
#ifdef __x86_64__
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		absent[i] = rows[i].call == foreign && lacks_foreign();
		if (absent[i])
			printf("# %s: not on this kernel\n", rows[i].what);
	}
#endif
}

static void try_all(const struct sock_fprog *filter, int up, int listener_to)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(1);
	long fd =
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, filter);
	if (fd < 0 || fd_send(listener_to, (int)fd) < 0)
		_exit(2);
	close((int)fd);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (absent[i])
			continue;
		errno = 0;
		int code = rows[i].call() < 0 ? errno : 0;
		if (write(up, &code, sizeof(code)) != sizeof(code))
			_exit(3);
	}
	_exit(0);
}

static void add_learnt(struct call_set *set)
{
	static const char *const calls[] = {"ptrace", "chroot", "mount", "unshare"};

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		strv_add(&set->calls, calls[i]);
	strv_add(&set->protocols, "132");
	set->families = 1ull << AF_PACKET | 1ull << AF_NETLINK;
	set->compat = set->set_id_modes = set->leases = true;
}

static void harden(struct call_set *set)
{
	strv_add(&set->without, "ptrace");
	strv_add(&set->without, "chown");
	set->without_families = 1ull << AF_INET | 1ull << AF_NETLINK;
	set->without_namespaces = CLONE_NEWUSER;
	set->no_write_execute = set->no_realtime = set->no_fast_open = true;
	set->compat = set->set_id_modes = false;
}

static void look(struct refusals *refusals)
{
	struct refusal v[REFUSALS_MAX];
	unsigned long total = 0, traces = 0;
	char name[32];
	size_t n = refusals_look(refusals, v, &total);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(refusal_name(&v[i], name, sizeof(name)), "ptrace"))
			traces = v[i].n;
	CHECK_INT(traces, 1);
	CHECK(total > 10 && n <= total);
}

static void test_calls(enum learnt learnt)
{
	static const char *const name_of[] = {"nothing learnt", "learnt", "hardened"};
	struct call_set set = {.calls = STRV_INIT};
	struct sock_fprog filter = {0};
	struct refusals *refusals = NULL;
	struct refusal_answers answers;
	const struct listens no_listens = {0};
	struct err e = {0};
	int up[2], pair[2], listener = -1, status = -1;

	if (learnt)
		add_learnt(&set);
	if (learnt == HARDENED)
		harden(&set);
	CHECK_INT(seccomp_make(&set, &filter, &e), 0);
	CHECK(pipe(up) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	pid_t pid = fork();
	if (pid == 0)
		try_all(&filter, up[1], pair[1]);
	close(up[1]);
	CHECK_INT(fd_receive(pair[0], &listener), 0);
	seccomp_answers(&answers);
	CHECK_INT(refusals_start(listener, &answers, &no_listens, &refusals, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (absent[i])
			continue;
		int code = -1, wanted = rows[i].refused[learnt];
		if (read(up[0], &code, sizeof(code)) != sizeof(code))
			code = -1;
		/* What is let through may still be the kernel's to refuse, in its own words. */
		bool refused = code == EPERM || code == ENOSYS || code == EAFNOSUPPORT;
		bool good = wanted ? code == wanted : code >= 0 && (!refused || geteuid() != 0);
		if (!good)
			fprintf(stderr, "# %s, %s: errno %d, not %d\n", rows[i].what,
				name_of[learnt], code, wanted);
		CHECK(good);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	if (!learnt)
		look(refusals);
	refusals_stop(refusals);
	close(up[0]);
	close(pair[0]);
	close(pair[1]);
	strv_done(&set.calls);
	strv_done(&set.without);
	strv_done(&set.protocols);
	seccomp_free(&filter);
}

/* What the launcher has to call is let through by the first filter and refused by the second. */
static void test_last(void)
{
	struct call_set set = {.calls = STRV_INIT};
	struct sock_fprog first = {0}, last = {0};
	struct err e = {0};
	int status = -1;

	strv_add(&set.without, "ptrace");
	CHECK_INT(seccomp_make_last(&set, &last, &e), 0);
	CHECK_INT(last.len, 0);
	strv_add(&set.without, "capset");
	CHECK_INT(seccomp_make(&set, &first, &e), 0);
	CHECK_INT(seccomp_make_last(&set, &last, &e), 0);
	CHECK(last.len > 0);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &first) < 0)
			_exit(1);
		if (syscall(SYS_capset, NULL, NULL) == 0 || errno != EFAULT)
			_exit(2);
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &last) < 0)
			_exit(3);
		if (syscall(SYS_capset, NULL, NULL) == 0 || errno != EPERM)
			_exit(4);
		_exit(getppid() > 0 ? 0 : 5);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	strv_done(&set.without);
	seccomp_free(&first);
	seccomp_free(&last);
}

/* Every name is one that libseccomp knows, or has its number; and none is there twice. */
static void test_table(void)
{
	size_t n;
	const struct call_policy *v = calls_policy(&n);

	for (size_t i = 0; i < n; i++) {
		bool known = seccomp_syscall_resolve_name(v[i].name) != __NR_SCMP_ERROR;
		if (!known && !v[i].number)
			fprintf(stderr, "# %s is unknown\n", v[i].name);
		CHECK(known || v[i].number);
		for (size_t k = 0; k < i; k++)
			CHECK(strcmp(v[i].name, v[k].name) != 0);
	}
	CHECK(!calls_policy_find("nosuch"));
}

int main(void)
{
	test_table();
	look_for_absent();
	test_calls(NOTHING);
	test_calls(ALL_OF_IT);
	test_calls(HARDENED);
	test_last();
	return check_done("seccomp");
}
