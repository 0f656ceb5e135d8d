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

#include "base/alloc.h"
#include "base/str.h"
#include "confine/own-status.h"
#include "confine/rights.h"
#include "confine/walls.h"

/* Each page that is written is copied or made for us alone: here is no array that fills one. */
#define FEW	    64
#define FD_LOOK	    128
#define FD_LOOK_MAX 1024 /* close_range(2) has closed all; this looks whether it has */

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
	gid_t few[FEW],
	    *more CLEANUP_MEM = id->n_groups > FEW ? xcalloc(id->n_groups, sizeof(*more)) : NULL;
	gid_t *own = more ? more : few;
	int n = getgroups(0, NULL);
	bool held = n >= 0 && (size_t)n == id->n_groups && getgroups(n, own) == n;

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
	uint64_t most = t->p->walls->capabilities & rights_most();
	struct own_status now;

	selftest_want(t, "%llx", (unsigned long long)most);
	if (own_status(&now) == 0)
		selftest_is(t, !(now.bounding & ~most), "%llx", (unsigned long long)now.bounding);
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

/* One in from .. from + FD_LOOK that should not be open, in *ret_bad. poll(2) says of each, in one
 * call, whether it is open; of no more than the limit lets, which is @n. */
static int find_descriptor(const struct test *t, int from, int n, int *ret_bad)
{
	struct pollfd look[FD_LOOK];
	int to = n - from < FD_LOOK ? n - from : FD_LOOK;

	for (int i = 0; i < to; i++)
		look[i] = (struct pollfd){.fd = from + i};
	if (poll(look, (nfds_t)to, 0) < 0)
		return -errno;
	for (int i = 0; i < to && *ret_bad < 0; i++) {
		int fd = from + i;
		if (fd >= 3 + (int)t->p->n_pass && fd != t->report && !(look[i].revents & POLLNVAL))
			*ret_bad = fd;
	}
	return 0;
}

/* A descriptor more than the standard three and the sockets that it is handed is a way out
 * (CVE-2024-21626); the report closes itself. */
static void test_descriptors(struct test *t)
{
	struct rlimit limit;
	int bad = -1;

	selftest_want(t, "0 1 2");
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	int n = limit.rlim_cur < FD_LOOK_MAX ? (int)limit.rlim_cur : FD_LOOK_MAX;
	for (int from = 0; from < n && bad < 0; from += FD_LOOK)
		if (find_descriptor(t, from, n, &bad) < 0)
			return;
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
	uint64_t pipe = t->p->ignore_sigpipe ? UINT64_C(1) << (SIGPIPE - 1) : 0;
	struct own_status now;

	selftest_want(t, "none ignored, none blocked");
	if (own_status(&now) < 0)
		return;
	uint64_t bad = now.blocked | now.caught | (now.ignored & ~pipe);
	selftest_is(t, !bad, bad ? "signal %d is" : "none", __builtin_ffsll((long long)bad));
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
bool selftest_one(const struct plan *p, int report, size_t i, struct selftest_row *ret)
{
	struct test t = {.p = p, .report = report, .words = p->tell_walls, .row = ret};

	if (i >= ARRAY_LEN(tests))
		return false;
	*ret = (struct selftest_row){.result = SELFTEST_UNKNOWN};
	strncpy(ret->wall, tests[i].wall, sizeof(ret->wall) - 1);
	tests[i].test(&t);
	enum selftest_result first = ret->result;
	if (first == SELFTEST_HELD || t.words)
		return true;
	t.words = true;
	tests[i].test(&t);
	ret->result = first; /* a wall that holds the second time is none */
	return true;
}

int selftest_judge(const struct selftest_row *row, struct err *e)
{
	/* What could not be read is not known to hold. */
	if (row->result == SELFTEST_HELD)
		return 0;
	return err_set(e, -EPERM, "the jail is not what its policy says: %s should be %s, is %s",
		       row->wall, row->want, row->is[0] ? row->is : "unknown");
}
