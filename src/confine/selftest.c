/* SPDX-License-Identifier: MIT */
#include "confine/selftest-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"
#include "confine/rights.h"
#include "confine/walls.h"

#define NGROUPS_MAX_HERE 1024
#define FD_LOOK_MAX	 1024 /* close_range(2) has closed all; this looks whether it has */

void selftest_want(struct test *t, const char *fmt, ...)
{
	va_list ap;

	if (!t->words)
		return;
	va_start(ap, fmt);
	vsnprintf(t->row->want, sizeof(t->row->want), fmt, ap);
	va_end(ap);
}

void selftest_is(struct test *t, bool held, const char *fmt, ...)
{
	va_list ap;

	t->row->result = held ? SELFTEST_HELD : SELFTEST_BROKEN;
	if (!t->words)
		return;
	va_start(ap, fmt);
	vsnprintf(t->row->is, sizeof(t->row->is), fmt, ap);
	va_end(ap);
}

static void test_user(struct test *t)
{
	const struct identity *id = &t->p->identity;
	uid_t u[3];
	gid_t g[3];

	selftest_want(t, "%u:%u", id->uid, id->gid);
	if (getresuid(&u[0], &u[1], &u[2]) < 0 || getresgid(&g[0], &g[1], &g[2]) < 0)
		return;
	bool held = true;
	for (int i = 0; i < 3; i++)
		held &= u[i] == id->uid && g[i] == id->gid;
	selftest_is(t, held, "%u,%u,%u:%u,%u,%u", u[0], u[1], u[2], g[0], g[1], g[2]);
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
	selftest_want(t, "%zu", id->n_groups);
	selftest_is(t, held, "%d", n);
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

/* None is in it that is not inheritable, capabilities(7): the others need no question. */
static uint64_t ambient(uint64_t inheritable)
{
	uint64_t set = 0;

	for (int cap = 0; cap < 64; cap++)
		if (inheritable >> cap & 1 &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1)
			set |= UINT64_C(1) << cap;
	return set;
}

static void test_bounding(struct test *t)
{
	uint64_t most = t->p->walls->capabilities & rights_most(), now = bounding();

	selftest_want(t, "%llx", (unsigned long long)most);
	selftest_is(t, !(now & ~most), "%llx", (unsigned long long)now);
}

static void test_capabilities(struct test *t)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {{0}};
	const struct identity *id = &t->p->identity;
	uint64_t walls = t->p->walls->capabilities & rights_most();
	uint64_t kept = id->uid ? id->ambient & walls : walls;

	if (syscall(SYS_capget, &head, d) < 0)
		return;
	uint64_t permitted = d[0].permitted | (uint64_t)d[1].permitted << 32;
	uint64_t inheritable = d[0].inheritable | (uint64_t)d[1].inheritable << 32;
	uint64_t held = ambient(inheritable), few = id->uid ? kept : 0;
	selftest_want(t, "%llx, inheritable and ambient %llx", (unsigned long long)kept,
		      (unsigned long long)few);
	selftest_is(t, !(permitted & ~kept) && !(inheritable & ~few) && !(held & ~few),
		    "%llx, inheritable %llx, ambient %llx", (unsigned long long)permitted,
		    (unsigned long long)inheritable, (unsigned long long)held);
}

static void test_no_new_privs(struct test *t)
{
	int set = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);

	selftest_want(t, "%d", t->p->walls->no_new_privs);
	selftest_is(t, set >= t->p->walls->no_new_privs, "%d", set);
}

/* It is there, and it answers: to clone3(2), which without it finds these arguments invalid. */
static void test_filter(struct test *t)
{
	int mode = prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
	long r = syscall(SYS_clone3, NULL, 0);

	selftest_want(t, "mode %d, refuses", SECCOMP_MODE_FILTER);
	selftest_is(t, mode == SECCOMP_MODE_FILTER && r < 0 && errno == ENOSYS, "mode %d, %s", mode,
		    r < 0 && errno == ENOSYS ? "refuses" : "does not refuse");
}

/* A descriptor more than the standard three and the sockets that it is handed is a way out
 * (CVE-2024-21626); the report closes itself. */
static void test_descriptors(struct test *t)
{
	struct pollfd look[FD_LOOK_MAX];
	struct rlimit limit;
	int bad = -1;

	selftest_want(t, "0 1 2");
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
	selftest_is(t, bad < 0, bad < 0 ? "0 1 2" : "0 1 2 %d", bad);
}

/* What this host does not let anybody have is less than planned, never more. */
static void test_limits(struct test *t)
{
	selftest_want(t, "as the spec says");
	for (int i = 0; i < PLAN_LIMITS; i++) {
		const struct rlimit *most = &t->p->limits[i];
		struct rlimit now;
		if (!t->p->limit_set[i])
			continue;
		if (getrlimit(i, &now) < 0 || now.rlim_cur > most->rlim_cur ||
		    now.rlim_max > most->rlim_max) {
			selftest_is(t, false, "limit %d is higher", i);
			return;
		}
	}
	selftest_is(t, true, "as the spec says");
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
	selftest_want(t, "the spec's alone");
	selftest_is(t, clean, clean ? "the spec's alone" : "somebody else's too");
}

static void test_signals(struct test *t)
{
	struct sigaction sa;
	sigset_t mask;
	int bad = 0;

	selftest_want(t, "none ignored, none blocked");
	if (sigprocmask(SIG_SETMASK, NULL, &mask) < 0)
		return;
	for (int sig = 1; sig < NSIG && !bad; sig++) {
		bool pipe = sig == SIGPIPE && t->p->ignore_sigpipe;
		if (sigismember(&mask, sig) == 1 ||
		    (sigaction(sig, NULL, &sa) == 0 && sa.sa_handler != SIG_DFL && !pipe))
			bad = sig;
	}
	selftest_is(t, !bad, bad ? "signal %d is" : "none", bad);
}

static void test_core(struct test *t)
{
	struct rlimit limit;
	bool free = t->p->limit_set[RLIMIT_CORE];

	selftest_want(t, free ? "as the spec says" : "off");
	if (getrlimit(RLIMIT_CORE, &limit) == 0)
		selftest_is(t, free || limit.rlim_max == 0, "%s", limit.rlim_max ? "on" : "off");
}

static void test_umask(struct test *t)
{
	mode_t now = umask(t->p->umask);

	umask(now);
	selftest_want(t, "%04o", t->p->umask);
	selftest_is(t, now == t->p->umask, "%04o", now);
}

static void test_session(struct test *t)
{
	int fd = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);

	selftest_want(t, "no terminal of anybody's");
	selftest_is(t, fd < 0, fd < 0 ? "none" : "a terminal");
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

/* Words take longer than the walls do, and most of the time nobody reads them. */
static void run_one(size_t i, struct test *t)
{
	tests[i].test(t);
	enum selftest_result first = t->row->result;
	if (first == SELFTEST_HELD || t->words)
		return;
	t->words = true;
	tests[i].test(t);
	t->row->result = first; /* a wall that holds the second time is none */
}

size_t selftest_run(const struct plan *p, int report, struct selftest_row *rows)
{
	for (size_t i = 0; i < ARRAY_LEN(tests); i++) {
		rows[i] = (struct selftest_row){.result = SELFTEST_UNKNOWN};
		strncpy(rows[i].wall, tests[i].wall, sizeof(rows[i].wall) - 1);
		struct test t = {.p = p, .report = report, .words = p->tell_walls, .row = &rows[i]};
		run_one(i, &t);
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
