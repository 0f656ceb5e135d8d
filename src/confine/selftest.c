/* SPDX-License-Identifier: MIT */
#include "confine/selftest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/fd.h"
#include "base/str.h"
#include "confine/landlock.h"
#include "confine/rights.h"
#include "confine/walls.h"

#define NGROUPS_MAX_HERE 1024
#define FD_LOOK_MAX	 1024 /* close_range(2) has closed all; this looks whether it has */

/* All of it by system calls, none by /proc: a jail may have none, and a service of root might have
 * put something else there in an ExecStartPre=. */
struct test {
	const struct plan *p;
	int report;
	struct selftest_row *row;
};

static void want(struct test *t, const char *fmt, ...) PRINTF(2, 3);
static void want(struct test *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->row->want, sizeof(t->row->want), fmt, ap);
	va_end(ap);
}

static void is(struct test *t, bool held, const char *fmt, ...) PRINTF(3, 4);
static void is(struct test *t, bool held, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->row->is, sizeof(t->row->is), fmt, ap);
	va_end(ap);
	t->row->result = held ? SELFTEST_HELD : SELFTEST_BROKEN;
}

static void test_user(struct test *t)
{
	const struct identity *id = &t->p->identity;
	uid_t u[3];
	gid_t g[3];

	want(t, "%u:%u", id->uid, id->gid);
	if (getresuid(&u[0], &u[1], &u[2]) < 0 || getresgid(&g[0], &g[1], &g[2]) < 0)
		return;
	bool held = true;
	for (int i = 0; i < 3; i++)
		held &= u[i] == id->uid && g[i] == id->gid;
	is(t, held, "%u,%u,%u:%u,%u,%u", u[0], u[1], u[2], g[0], g[1], g[2]);
}

static void test_groups(struct test *t)
{
	const struct identity *id = &t->p->identity;
	gid_t own[NGROUPS_MAX_HERE];
	int n = getgroups(NGROUPS_MAX_HERE, own);
	bool held = n >= 0 && (size_t)n == id->n_groups;

	/* The kernel sorts them. */
	for (size_t i = 0; held && i < id->n_groups; i++) {
		bool found = false;
		for (int k = 0; k < n; k++)
			found |= own[k] == id->groups[i];
		held = found;
	}
	want(t, "%zu", id->n_groups);
	is(t, held, "%d", n);
}

static uint64_t bounding(void)
{
	uint64_t set = 0;

	for (int cap = 0; cap < 64; cap++) {
		int there = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		if (there < 0) /* beyond the last that the kernel knows */
			break;
		set |= (uint64_t)there << cap;
	}
	return set;
}

static uint64_t ambient(void)
{
	uint64_t set = 0;

	for (int cap = 0; cap < 64; cap++) {
		int there = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0);
		if (there < 0)
			break;
		set |= (uint64_t)there << cap;
	}
	return set;
}

static void test_bounding(struct test *t)
{
	uint64_t most = t->p->walls->capabilities & rights_most(), now = bounding();

	want(t, "%llx", (unsigned long long)most);
	is(t, !(now & ~most), "%llx", (unsigned long long)now);
}

static void test_capabilities(struct test *t)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {{0}};
	const struct identity *id = &t->p->identity;
	uint64_t walls = t->p->walls->capabilities & rights_most();
	uint64_t kept = id->uid ? id->ambient & walls : walls;
	uint64_t held = ambient();

	if (syscall(SYS_capget, &head, d) < 0)
		return;
	uint64_t permitted = d[0].permitted | (uint64_t)d[1].permitted << 32;
	uint64_t inheritable = d[0].inheritable | (uint64_t)d[1].inheritable << 32;
	uint64_t few = id->uid ? kept : 0;
	want(t, "%llx, inheritable and ambient %llx", (unsigned long long)kept,
	     (unsigned long long)few);
	is(t, !(permitted & ~kept) && !(inheritable & ~few) && !(held & ~few),
	   "%llx, inheritable %llx, ambient %llx", (unsigned long long)permitted,
	   (unsigned long long)inheritable, (unsigned long long)held);
}

static void test_no_new_privs(struct test *t)
{
	int set = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);

	want(t, "%d", t->p->walls->no_new_privs);
	is(t, set >= t->p->walls->no_new_privs, "%d", set);
}

/* It is there, and it answers: to clone3(2), which without it finds these arguments invalid. */
static void test_filter(struct test *t)
{
	int mode = prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
	long r = syscall(SYS_clone3, NULL, 0);

	want(t, "mode %d, refuses", SECCOMP_MODE_FILTER);
	is(t, mode == SECCOMP_MODE_FILTER && r < 0 && errno == ENOSYS, "mode %d, %s", mode,
	   r < 0 && errno == ENOSYS ? "refuses" : "does not refuse");
}

/* A descriptor more than the standard three and the sockets that it is handed is a way out
 * (CVE-2024-21626); the report closes itself. */
static void test_descriptors(struct test *t)
{
	struct pollfd look[FD_LOOK_MAX];
	struct rlimit limit;
	int bad = -1;

	want(t, "0 1 2");
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	/* poll(2) says of each, in one call, whether it is open; of no more than the limit lets. */
	nfds_t n = limit.rlim_cur < FD_LOOK_MAX ? (nfds_t)limit.rlim_cur : FD_LOOK_MAX;
	for (int fd = 0; fd < (int)n; fd++)
		look[fd] = (struct pollfd){.fd = fd};
	if (poll(look, n, 0) < 0)
		return;
	for (int fd = 3; fd < (int)n && bad < 0; fd++)
		if (fd != t->report && fd >= 3 + (int)t->p->n_pass &&
		    !(look[fd].revents & POLLNVAL))
			bad = fd;
	is(t, bad < 0, bad < 0 ? "0 1 2" : "0 1 2 %d", bad);
}

static bool is_planned(const struct plan *p, enum mount_kind kind)
{
	for (size_t i = 0; i < p->mounts.n; i++)
		if (p->mounts.v[i].kind == kind)
			return true;
	return false;
}

static void test_root(struct test *t)
{
	struct stat root, up;
	struct statvfs vfs;
	bool planned = is_planned(t->p, MOUNT_ROOT_RO);

	want(t, "%s", planned ? "read-only, its own top" : "its own top");
	if (stat("/", &root) < 0 || stat("/..", &up) < 0 || statvfs("/", &vfs) < 0)
		return;
	bool top = root.st_ino == up.st_ino && root.st_dev == up.st_dev;
	bool read_only = vfs.f_flag & ST_RDONLY;
	is(t, top && (read_only || !planned), "%s%s", read_only ? "read-only" : "writable",
	   top ? ", its own top" : ", below another");
}

static bool mount_held(const struct mount_op *op, struct test *t)
{
	static const struct {
		unsigned planned;
		unsigned long there;
		const char *name;
	} flags[] = {
	    {MOUNT_READONLY, ST_RDONLY, "read-only"},
	    {MOUNT_NOSUID, ST_NOSUID, "nosuid"},
	    {MOUNT_NODEV, ST_NODEV, "nodev"},
	    {MOUNT_NOEXEC, ST_NOEXEC, "noexec"},
	};
	struct statvfs vfs;

	if (statvfs(op->target, &vfs) <
	    0) /* what only the service's user may not reach is not open */
		return true;
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (op->flags & flags[i].planned && !(vfs.f_flag & flags[i].there)) {
			is(t, false, "%.60s is not %s", op->target, flags[i].name);
			return false;
		}
	return true;
}

static void test_mounts(struct test *t)
{
	const struct mount_list *m = &t->p->mounts;

	want(t, "%zu as planned", m->n);
	for (size_t i = 0; i < m->n; i++)
		if ((m->v[i].kind == MOUNT_BIND || m->v[i].kind == MOUNT_TMPFS ||
		     m->v[i].kind == MOUNT_ROOT_RO) &&
		    !mount_held(&m->v[i], t))
			return;
	is(t, true, "%zu as planned", m->n);
}

/* Numbers of processes outside read as 0 here: whoever has one has a session of ours. */
static void test_pids(struct test *t)
{
	want(t, "a session in its own namespace");
	is(t, getsid(0) > 0 && getpid() != 1, "pid %d, session %d", getpid(), getsid(0));
}

/* By a /proc that is one: no mount of the jail can be covered without CAP_SYS_ADMIN. */
static void test_namespaces(struct test *t)
{
	CLEANUP_FD int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	want(t, "its own");
	if (proc < 0 || fstatfs(proc, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC) {
		is(t, !is_planned(t->p, MOUNT_PROC), "no /proc to see them by");
		return;
	}
	for (size_t i = 0; i < PLAN_NAMESPACES; i++) {
		uint64_t now = plan_namespace(proc, i);
		bool anew = i == PLAN_USER_NAMESPACE  ? t->p->user_ns >= 0
			    : i == PLAN_NET_NAMESPACE ? t->p->own_net
						      : true;
		if (t->p->outside[i] && anew && (!now || now == t->p->outside[i])) {
			is(t, false, "%s is the host's", plan_namespace_name(i));
			return;
		}
	}
	is(t, true, "its own");
}

/* Of the kernel nothing is told, where the policy has no need of it. */
static void test_proc(struct test *t)
{
	bool pids = t->p->walls->proc_pids;
	bool more = access("/proc/uptime", F_OK) == 0;

	want(t, pids ? "processes alone" : "whole, or less");
	is(t, !pids || !more, more ? "whole" : "processes alone");
}

/* A domain of Landlock cannot be read; it can be met. */
static void test_landlock(struct test *t)
{
	const struct landlock *l = t->p->walls->landlock;
	uint16_t port = l && landlock_has_ports() ? l->tried : 0;
	const struct sockaddr_in a = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	if (!port) {
		want(t, "as far as it can be tried");
		is(t, true, "not tried: no port is refused here");
		return;
	}
	want(t, "port %u refused", port);
	CLEANUP_FD int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool bound = s >= 0 && bind(s, (const struct sockaddr *)&a, sizeof(a)) == 0;
	/* Somebody else's port says nothing of us. */
	is(t, s >= 0 && !bound && errno == EACCES, bound ? "port %u bound" : "port %u refused",
	   port);
}

/* What this host does not let anybody have is less than planned, never more. */
static void test_limits(struct test *t)
{
	want(t, "as the spec says");
	for (int i = 0; i < PLAN_LIMITS; i++) {
		const struct rlimit *most = &t->p->limits[i];
		struct rlimit now;
		if (!t->p->limit_set[i])
			continue;
		if (getrlimit(i, &now) < 0 || now.rlim_cur > most->rlim_cur ||
		    now.rlim_max > most->rlim_max) {
			is(t, false, "limit %d is higher", i);
			return;
		}
	}
	is(t, true, "as the spec says");
}

/* What was here before is gone (init.c), and what the service gets has names. */
static void test_environment(struct test *t)
{
	size_t n = 0;
	bool clean = true;

	for (char **env = environ; env && *env; env++)
		clean &= !**env;
	for (; t->p->envp && t->p->envp[n]; n++)
		clean &= strchr(t->p->envp[n], '=') > t->p->envp[n];
	want(t, "the spec's alone");
	is(t, clean, clean ? "the spec's alone" : "somebody else's too");
}

static void test_signals(struct test *t)
{
	struct sigaction sa;
	sigset_t mask;
	int bad = 0;

	want(t, "none ignored, none blocked");
	if (sigprocmask(SIG_SETMASK, NULL, &mask) < 0)
		return;
	for (int sig = 1; sig < NSIG && !bad; sig++) {
		bool pipe = sig == SIGPIPE && t->p->ignore_sigpipe;
		if (sigismember(&mask, sig) == 1 ||
		    (sigaction(sig, NULL, &sa) == 0 && sa.sa_handler != SIG_DFL && !pipe))
			bad = sig;
	}
	is(t, !bad, bad ? "signal %d is" : "none", bad);
}

static void test_core(struct test *t)
{
	struct rlimit limit;
	bool free = t->p->limit_set[RLIMIT_CORE];

	want(t, free ? "as the spec says" : "off");
	if (getrlimit(RLIMIT_CORE, &limit) == 0)
		is(t, free || limit.rlim_max == 0, "%s", limit.rlim_max ? "on" : "off");
}

static void test_umask(struct test *t)
{
	mode_t now = umask(t->p->umask);

	umask(now);
	want(t, "%04o", t->p->umask);
	is(t, now == t->p->umask, "%04o", now);
}

static void test_session(struct test *t)
{
	int fd = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);

	want(t, "no terminal of anybody's");
	is(t, fd < 0, fd < 0 ? "none" : "a terminal");
	if (fd >= 0)
		close(fd);
}

static const struct {
	const char *wall;
	void (*test)(struct test *t);
} tests[] = {
    {"user", test_user},
    {"groups", test_groups},
    {"bounding-set", test_bounding},
    {"capabilities", test_capabilities},
    {"no-new-privs", test_no_new_privs},
    {"filter", test_filter},
    {"descriptors", test_descriptors},
    {"root", test_root},
    {"mounts", test_mounts},
    {"pids", test_pids},
    {"namespaces", test_namespaces},
    {"proc", test_proc},
    {"landlock", test_landlock},
    {"limits", test_limits},
    {"environment", test_environment},
    {"signals", test_signals},
    {"core-dumps", test_core},
    {"umask", test_umask},
    {"session", test_session},
};

size_t selftest_run(const struct plan *p, int report, struct selftest_row *rows)
{
	for (size_t i = 0; i < ARRAY_LEN(tests); i++) {
		rows[i] = (struct selftest_row){.result = SELFTEST_UNKNOWN};
		snprintf(rows[i].wall, sizeof(rows[i].wall), "%s", tests[i].wall);
		struct test t = {.p = p, .report = report, .row = &rows[i]};
		tests[i].test(&t);
	}
	return ARRAY_LEN(tests);
}

int selftest_judge(const struct selftest_row *rows, size_t n, struct err *e)
{
	/* What could not be read is not known to hold. */
	for (size_t i = 0; i < n; i++)
		if (rows[i].result != SELFTEST_HELD)
			return err_set(
			    e, -EPERM,
			    "the jail is not what its policy says: %s should be %s, is %s",
			    rows[i].wall, rows[i].want, rows[i].is[0] ? rows[i].is : "unknown");
	return 0;
}
