/* SPDX-License-Identifier: MIT */
#include "jail/passed.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/sockets.h"
#include "fs/beneath.h"

#define FIRST	3
#define BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */

void passed_done(struct passed *p)
{
	for (size_t i = 0; i < p->n; i++)
		fd_close(&p->fds[i]);
	strv_done(&p->names);
	p->n = 0;
}

int passed_inherit(struct passed *ret, struct err *e)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	const char *names = getenv("LISTEN_FDNAMES");
	long n = pid && fds && atoi(pid) == getpid() ? strtol(fds, NULL, 10) : 0;

	*ret = (struct passed)PASSED_INIT;
	if (n < 0 || n > PLAN_PASS_MAX)
		return err_set(e, -E2BIG, "LISTEN_FDS=%s: at most %d sockets are taken", fds,
			       PLAN_PASS_MAX);
	for (int i = 0; i < n; i++) {
		ret->fds[ret->n++] = FIRST + i;
		fcntl(FIRST + i, F_SETFD, FD_CLOEXEC);
	}
	if (n && names)
		strv_split(&ret->names, names, ":");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return 0;
}

/* A unix socket's name, by the descriptor of its directory: @root may be another than ours, and its
 * path longer than a name can be. One that was left by somebody dead is taken away. */
static int bind_unix(int fd, int root, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const char *name = path_base(path);
	struct stat st;
	CLEANUP_STR char *up = path_parent(path);
	CLEANUP_FD int dir = beneath_open_nolink(root, up, O_PATH | O_DIRECTORY, 0);

	if (dir < 0)
		return dir;
	if (snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/%s", dir, name) >=
	    (int)sizeof(a.sun_path))
		return -ENAMETOOLONG;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(st.st_mode)) {
		CLEANUP_FD int try = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (connect(try, (struct sockaddr *)&a, sizeof(a)) == 0 || errno != ECONNREFUSED)
			return -EADDRINUSE;
		unlinkat(dir, name, 0);
	}
	/* 0666, as SocketMode= is unless given; from the first, as by its name it could be another
	 * file in the next moment. */
	mode_t mask = umask(0111);
	int r = bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
	umask(mask);
	return r;
}

static int open_one(const char *word, int root)
{
	struct sockaddr_storage a;
	int type, on = 1;
	socklen_t len = socket_address(word, &a, &type);
	CLEANUP_FD int fd = socket(a.ss_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	int r = a.ss_family == AF_UNIX ? bind_unix(fd, root, str_after(word, "unix:"))
		: bind(fd, (const struct sockaddr *)&a, len) < 0 ? -errno
								 : 0;
	if (r == 0 && type == SOCK_STREAM && listen(fd, BACKLOG) < 0)
		r = -errno;
	return r < 0 ? r : take_fd(&fd);
}

static int open_all(const struct spec *s, int root, struct passed *ret, struct err *e)
{
	for (size_t i = 0; i < s->listen.n; i++) {
		int fd = open_one(s->listen.v[i], root);
		if (fd < 0)
			return err_errno(e, fd, "Listen=%s", s->listen.v[i]);
		ret->fds[ret->n++] = fd;
	}
	return 0;
}

int passed_open(const struct spec *s, int net_ns, int root, struct passed *ret, struct err *e)
{
	CLEANUP_FD int ours = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	*ret = (struct passed)PASSED_INIT;
	if (s->listen.n > PLAN_PASS_MAX)
		return err_set(e, -E2BIG, "Listen=: at most %d sockets are handed over",
			       PLAN_PASS_MAX);
	if (s->listen.n && net_ns >= 0 && (ours < 0 || setns(net_ns, CLONE_NEWNET) < 0))
		return err_errno(e, -errno, "entering the network of the build");
	int r = open_all(s, root, ret, e);
	if (s->listen.n && net_ns >= 0 && setns(ours, CLONE_NEWNET) < 0)
		abort(); /* nothing of ours may go on in there */
	if (r < 0)
		passed_done(ret);
	return r;
}

void passed_plan(const struct passed *p, const struct spec *s, struct strv *env, struct plan *plan)
{
	CLEANUP_STR char *number = xasprintf("LISTEN_FDS=%zu", p->n), *names = xstrdup("");

	memcpy(plan->pass, p->fds, sizeof(plan->pass));
	plan->n_pass = p->n;
	plan->accepts = s->accept && p->n;
	if (!p->n || plan->accepts)
		return;
	for (size_t i = 0; i < p->n; i++) {
		const char *name = i < p->names.n ? p->names.v[i] : "unknown";
		char *more = xasprintf("%s%s%s", names, i ? ":" : "", name);
		free(names);
		names = more;
	}
	CLEANUP_STR char *named = xasprintf("LISTEN_FDNAMES=%s", names);
	env_put(env, "LISTEN_PID=0"); /* the child's own number, confine/child.c */
	env_put(env, number);
	env_put(env, named);
	plan->envp = env->v;
}

/* The name of a socket, as ready.h and Listen= write it, new; "" for one that has none. */
static char *name_of(int fd)
{
	struct sockaddr_storage a = {0};
	socklen_t len = sizeof(a), size = sizeof(int);
	int type = 0;

	if (getsockname(fd, (struct sockaddr *)&a, &len) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
		return xstrdup("");
	return socket_name(&a, type);
}

bool passed_has(const struct passed *p, const struct spec *s, const char *listener)
{
	if (p->n && strv_has(&s->listen, listener))
		return true;
	for (size_t i = 0; i < p->n; i++) {
		CLEANUP_STR char *name = name_of(p->fds[i]);
		if (streq(name, listener))
			return true;
	}
	return false;
}
