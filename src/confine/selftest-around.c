/* SPDX-License-Identifier: MIT */
/* The self-test of what is around the process: its root, its mounts, its namespaces, its domain. */
#include "confine/selftest-parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "confine/landlock.h"
#include "confine/walls.h"

static bool is_planned(const struct plan *p, enum mount_kind kind)
{
	for (size_t i = 0; i < p->mounts.n; i++)
		if (p->mounts.v[i].kind == kind)
			return true;
	return false;
}

void test_root(struct test *t)
{
	struct statvfs vfs;
	bool planned = is_planned(t->p, MOUNT_ROOT_RO);

	selftest_want(t, "%s", planned ? "read-only" : "as it is");
	if (statvfs("/", &vfs) < 0)
		return;
	bool read_only = vfs.f_flag & ST_RDONLY;
	selftest_is(t, read_only || !planned, "%s", read_only ? "read-only" : "writable");
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
			selftest_is(t, false, "%.60s is not %s", op->target, flags[i].name);
			return false;
		}
	return true;
}

void test_mounts(struct test *t)
{
	const struct mount_list *m = &t->p->mounts;

	selftest_want(t, "%zu as planned", m->n);
	for (size_t i = 0; i < m->n; i++)
		if ((m->v[i].kind == MOUNT_BIND || m->v[i].kind == MOUNT_OWN ||
		     m->v[i].kind == MOUNT_TMPFS || m->v[i].kind == MOUNT_ROOT_RO) &&
		    !mount_held(&m->v[i], t))
			return;
	selftest_is(t, true, "%zu as planned", m->n);
}

/* Numbers of processes outside read as 0 here: whoever has one has a session of ours. */
void test_pids(struct test *t)
{
	selftest_want(t, "a session in its own namespace");
	selftest_is(t, getsid(0) > 0 && getpid() != 1, "pid %d, session %d", getpid(), getsid(0));
}

/* By a /proc that is one: no mount of the jail can be covered without CAP_SYS_ADMIN. */
void test_namespaces(struct test *t)
{
	CLEANUP_FD int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int own = -1;
	struct statfs fs;

	selftest_want(t, "its own");
	if (proc < 0 || fstatfs(proc, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC) {
		selftest_is(t, !is_planned(t->p, MOUNT_PROC), "no /proc to see them by");
		return;
	}
	own = openat(proc, "self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < PLAN_NAMESPACES; i++) {
		uint64_t now = plan_namespace(own, i);
		bool anew = i == PLAN_USER_NAMESPACE  ? t->p->user_ns >= 0
			    : i == PLAN_NET_NAMESPACE ? t->p->own_net
						      : true;
		if (t->p->outside[i] && anew && (!now || now == t->p->outside[i])) {
			selftest_is(t, false, "%s is the host's", plan_namespace_name(i));
			return;
		}
	}
	selftest_is(t, true, "its own");
}

/* Of the kernel nothing is told, where the policy has no need of it. */
void test_proc(struct test *t)
{
	bool pids = t->p->walls->proc_pids;
	bool more = access("/proc/uptime", F_OK) == 0;

	selftest_want(t, pids ? "processes alone" : "whole, or less");
	selftest_is(t, !pids || !more, more ? "whole" : "processes alone");
}

/* A domain of Landlock cannot be read; it can be met. */
void test_landlock(struct test *t)
{
	const struct landlock *l = t->p->walls->landlock;
	uint16_t port = l && landlock_has_ports() ? l->tried : 0;
	const struct sockaddr_in a = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	if (!port) {
		selftest_want(t, "as far as it can be tried");
		selftest_is(t, true, "not tried: no port is refused here");
		return;
	}
	selftest_want(t, "port %u refused", port);
	CLEANUP_FD int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool bound = s >= 0 && bind(s, (const struct sockaddr *)&a, sizeof(a)) == 0;
	/* Somebody else's port says nothing of us. */
	selftest_is(t, s >= 0 && !bound && errno == EACCES,
		    bound ? "port %u bound" : "port %u refused", port);
}
