/* SPDX-License-Identifier: MIT */
/* The self-test, on children of which each has left out one wall. */
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>

#include "check.h"
#include "confine/calls-policy.h"
#include "confine/landlock.h"
#include "confine/rights.h"
#include "confine/selftest.h"
#include "confine/walls.h"

/* What a child does otherwise than its plan says. */
struct lapse {
	const char *wall; /* that is to be named; "" where all is well */
	bool no_filter, no_new_privs_missing, dumps, stray, ignores;
	bool more, outside_session, terminal, no_domain, higher, remembers, same_namespaces,
	    proc_pids;
	uid_t uid;
	size_t n_groups;
	bool fewer, other_umask, read_only, read_only_mount;
};

static const struct lapse lapses[] = {
    {.wall = ""},
    {.wall = "user", .uid = 1234},
    {.wall = "groups", .n_groups = 1},
    {.wall = "bounding-set", .fewer = true},
    {.wall = "capabilities", .more = true},
    {.wall = "no-new-privs", .no_new_privs_missing = true},
    {.wall = "filter", .no_filter = true},
    {.wall = "descriptors", .stray = true},
    {.wall = "root", .read_only = true},
    {.wall = "mounts", .read_only_mount = true},
    {.wall = "namespaces", .same_namespaces = true},
    {.wall = "proc", .proc_pids = true},
    {.wall = "landlock", .no_domain = true},
    {.wall = "limits", .higher = true},
    {.wall = "environment", .remembers = true},
    {.wall = "signals", .ignores = true},
    {.wall = "core-dumps", .dumps = true},
    {.wall = "umask", .other_umask = true},
    {.wall = "session", .terminal = true},
    /* The last: nobody can be forked any more when the first of a pid namespace is gone. */
    {.wall = "pids", .outside_session = true},
};

static void take_terminal(void)
{
	int main = posix_openpt(O_RDWR | O_NOCTTY), end;

	if (main < 0 || grantpt(main) < 0 || unlockpt(main) < 0)
		_exit(4);
	end = open(ptsname(main), O_RDWR);
	/* Held by the standard input: nothing else stays open. */
	if (end < 0 || ioctl(end, TIOCSCTTY, 0) < 0 || dup2(end, 0) < 0 || dup2(main, 1) < 0)
		_exit(5);
}

static void set_up(const struct lapse *l, const struct sock_fprog *filter, int report)
{
	static const unsigned long by_default[8];
	const struct rlimit none = {0, 0};

	if (!l->outside_session)
		setsid();
	if (l->terminal)
		take_terminal();
	close_range(3, (unsigned)report - 1, 0);
	close_range((unsigned)report + 1, ~0u, 0);
	umask(027);
	for (int sig = 1; sig < NSIG; sig++) /* those of the C library too, as child.c does */
		syscall(SYS_rt_sigaction, sig, by_default, NULL, 8);
	if (l->ignores)
		signal(SIGHUP, SIG_IGN);
	if (!l->dumps)
		setrlimit(RLIMIT_CORE, &none);
	if (l->stray)
		dup2(0, 77);
	if (!l->no_new_privs_missing)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!l->no_filter && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter) < 0)
		_exit(2);
	if (setgroups(0, NULL) < 0 || rights_bound(1) < 0 ||
	    rights_settle(l->more ? 1 | 1u << CAP_SETUID : 1, 0) < 0)
		_exit(3);
	if (!l->remembers)
		clearenv();
}

static void lapse(const struct lapse *l, const struct sock_fprog *filter, int report)
{
	static const gid_t groups[] = {4242};
	/* Nobody is confined by Landlock here: where it should be, that is found. */
	const struct landlock domain = {.tried = 65535};
	const struct walls walls = {.capabilities = l->fewer ? 0 : 1,
				    .no_new_privs = true,
				    .proc_pids = l->proc_pids,
				    .landlock = l->no_domain ? &domain : NULL};
	struct err e = {0};
	struct plan p;

	set_up(l, filter, report);
	plan_init(&p);
	p.walls = &walls;
	if (l->same_namespaces)
		plan_note_outside(&p);
	p.limit_set[RLIMIT_NOFILE] = true;
	getrlimit(RLIMIT_NOFILE, &p.limits[RLIMIT_NOFILE]);
	p.limits[RLIMIT_NOFILE].rlim_cur -= l->higher;
	p.umask = l->other_umask ? 077 : 027;
	p.identity = (struct identity){.uid = l->uid, .groups = groups, .n_groups = l->n_groups};
	if (l->read_only)
		plan_mount(&p, MOUNT_ROOT_RO, "/", NULL, 0);
	if (l->read_only_mount)
		plan_mount(&p, MOUNT_BIND, "/tmp", "/tmp", MOUNT_READONLY);
	struct selftest_row row;
	for (size_t i = 0; selftest_one(&p, report, i, &row) && !e.code; i++)
		selftest_judge(&row, &e);
	_exit(write(report, e.msg, sizeof(e.msg)) != sizeof(e.msg));
}

static void test_selftest(void)
{
	const struct call_set set = {.calls = STRV_INIT};
	struct sock_fprog filter = {0};
	struct err e = {0};

	CHECK_INT(seccomp_make(&set, &filter, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(lapses); i++) {
		char want[64] = "";
		int up[2];
		CHECK_INT(pipe(up), 0);
		/* The number of a session outside reads as 0 in there. */
		if (lapses[i].outside_session)
			CHECK_INT(unshare(CLONE_NEWPID), 0);
		pid_t pid = fork();
		if (pid == 0)
			lapse(&lapses[i], &filter, up[1]);
		close(up[1]);
		memset(e.msg, 0, sizeof(e.msg));
		CHECK_INT(read(up[0], e.msg, sizeof(e.msg)), sizeof(e.msg));
		close(up[0]);
		waitpid(pid, NULL, 0);
		snprintf(want, sizeof(want), "policy says: %s should", lapses[i].wall);
		bool good = lapses[i].wall[0] ? strstr(e.msg, want) != NULL : !e.msg[0];
		if (!good)
			printf("# %s: %s\n", lapses[i].wall, e.msg);
		CHECK(good);
	}
	seccomp_free(&filter);
}

int main(void)
{
	if (geteuid() != 0) {
		puts("1..0 # SKIP needs root");
		return 0;
	}
	test_selftest();
	return check_done("selftest");
}
