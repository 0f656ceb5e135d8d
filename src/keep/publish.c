/* SPDX-License-Identifier: MIT */
#include "keep/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "fs/beneath.h"
#include "fs/temp.h"
#include "keep/pid-file.h"

#define RUN "/run"

/* Whether the host's file of that name is the one that we made. */
static bool is_ours(const struct publish *p, const struct published *f)
{
	struct stat st;

	return f->ino && fstatat(p->outside, f->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_ino == f->ino && st.st_dev == f->dev;
}

/* Whether @f's place is free: nothing is there, what we put there, or the pid file of a process
 * that lives no more. */
static bool may_take(const struct publish *p, const struct published *f)
{
	struct stat st;

	if (fstatat(p->outside, f->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT;
	if (is_ours(p, f))
		return true;
	pid_t pid = S_ISREG(st.st_mode) ? pid_file_read(p->outside, f->name, &st) : 0;
	return S_ISREG(st.st_mode) && (st.st_size == 0 || pid > 0) &&
	       (pid <= 0 || (kill(pid, 0) < 0 && errno == ESRCH));
}

static void withdraw(const struct publish *p, struct published *f)
{
	if (is_ours(p, f))
		unlinkat(p->outside, f->name, 0);
	f->ino = 0;
}

/* Made aside and renamed: whoever reads sees a whole number, and no link is followed. */
static int put(const struct publish *p, struct published *f, pid_t number, const struct stat *inner)
{
	struct temp temp CLEANUP_TEMP = TEMP_INIT;
	CLEANUP_FD int fd = temp_make(&temp, p->outside, S_IFREG, NULL);
	struct stat st;

	if (fd < 0)
		return fd;
	if (dprintf(fd, "%d\n", (int)number) < 0 || fchown(fd, inner->st_uid, inner->st_gid) < 0 ||
	    fchmod(fd, inner->st_mode & 0644) < 0 || fstat(fd, &st) < 0)
		return -errno;
	int r = temp_rename(&temp, f->name, 0);
	if (r == 0) {
		f->dev = st.st_dev;
		f->ino = st.st_ino;
	}
	return r;
}

static void sync_one(struct publish *p, struct published *f, const struct run *r)
{
	struct stat st;
	pid_t said = pid_file_read(p->inside, f->name, &st);

	if (said == f->said && (!said || is_ours(p, f)))
		return;
	f->said = said;
	pid_t number = pid_file_outside(r, said);
	if (!number)
		withdraw(p, f);
	else if (!may_take(p, f))
		p->left = f->name;
	else
		put(p, f, number, &st); /* a full /run: the next event tries again */
}

static void sync_all(struct publish *p, const struct run *r)
{
	for (size_t i = 0; i < p->n; i++)
		sync_one(p, &p->files[i], r);
}

static int open_inside(const struct run *r)
{
	CLEANUP_FD int root = run_root(r);

	return root < 0 ? -1 : beneath_open_nolink(root, RUN, O_RDONLY | O_DIRECTORY, 0);
}

void publish_open(struct publish *p, const struct strv *names, const struct run *r)
{
	struct published *files = xcalloc(names->n, sizeof(*files));

	for (size_t i = 0; i < names->n; i++)
		files[i] = (struct published){.name = xstrdup(names->v[i])};
	publish_adopt(p, files, names->n, r);
}

void publish_adopt(struct publish *p, struct published *files, size_t n, const struct run *r)
{
	char watched[40];

	*p = (struct publish){.inotify = -1, .inside = -1, .outside = -1, .files = files, .n = n};
	if (!n)
		return;
	p->inside = open_inside(r);
	p->outside = open(RUN, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->inside < 0 || p->outside < 0)
		return;
	p->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	snprintf(watched, sizeof(watched), "/proc/self/fd/%d", p->inside);
	inotify_add_watch(p->inotify, watched,
			  IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM |
			      IN_DELETE);
	sync_all(p, r);
}

void publish_serve(struct publish *p, const struct run *r)
{
	char events[64 * (sizeof(struct inotify_event) + NAME_MAX + 1)];

	/* What is there now matters, not which event told of it. */
	if (read(p->inotify, events, sizeof(events)) > 0)
		sync_all(p, r);
}

void publish_done(struct publish *p)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->outside >= 0)
			withdraw(p, &p->files[i]);
		free(p->files[i].name);
	}
	free(p->files);
	fd_close(&p->inotify);
	fd_close(&p->inside);
	fd_close(&p->outside);
	*p = (struct publish)PUBLISH_INIT;
}
