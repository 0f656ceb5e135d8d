/* SPDX-License-Identifier: MIT */
#include "jail/pid-files.h"

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
#include "base/log.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "fs/temp.h"
#include "host/places.h"
#include "jail/ready.h"

/* A pid file may say more than the number (postmaster.pid has eight lines). */
#define FILE_BYTES 4096
#define HEAD_BYTES 32

#define RUN "/run"

pid_t pid_files_parse(const char *bytes, size_t len)
{
	long n = 0;
	size_t i = 0;

	while (i < len && (bytes[i] == ' ' || bytes[i] == '\t'))
		i++;
	size_t from = i;
	for (; i < len && i - from < 9 && bytes[i] >= '0' && bytes[i] <= '9'; i++)
		n = 10 * n + (bytes[i] - '0');
	return i == len || strchr(" \t\r\n", bytes[i]) ? (pid_t)n : 0;
}

/* What the file @path below @root says, or 0; its metadata in @ret. */
static pid_t read_number(int root, const char *path, struct stat *ret)
{
	char head[HEAD_BYTES];
	CLEANUP_FD int fd =
	    beneath_open_nolink(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW, 0);

	if (fd < 0 || fstat(fd, ret) < 0 || !S_ISREG(ret->st_mode) || ret->st_size > FILE_BYTES)
		return 0;
	ssize_t n = pread(fd, head, sizeof(head), 0);
	return n > 0 ? pid_files_parse(head, (size_t)n) : 0;
}

/* The host's number of the process of @r that is number @inside there, or 0. */
static pid_t number_outside(const struct run *r, pid_t inside)
{
	struct pid_list pids CLEANUP_PIDS = {0};

	if (inside > 0)
		run_pids(r, &pids);
	for (size_t i = 0; i < pids.n; i++)
		if (run_pid_inside(pids.v[i]) == inside)
			return pids.v[i];
	return 0;
}

void pid_files_find(const struct record *record, int root, const struct run *r, struct strv *ret)
{
	struct stat st;

	for (const struct touch *t = record->touches; t; t = t->hh.next) {
		/* One that is made aside and renamed is only made. */
		if (!(t->kinds & (TOUCH_WRITE | TOUCH_MAKE)) || place_kernel_tree(t->path) ||
		    strv_has(ret, t->path))
			continue;
		pid_t said = read_number(root, t->path, &st);
		if (number_outside(r, said))
			strv_add(ret, t->path);
	}
}

static int open_root(const struct run *r)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/root", r->init);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

pid_t pid_files_number(const char *path, const struct run *r, pid_t *ret_inside)
{
	CLEANUP_FD int root = open_root(r);
	struct stat st;

	*ret_inside = root < 0 ? 0 : read_number(root, path, &st);
	return number_outside(r, *ret_inside);
}

const char *pid_files_wrong(const struct strv *files, const struct run *r)
{
	for (size_t i = 0; i < files->n; i++) {
		pid_t inside, outside = pid_files_number(files->v[i], r, &inside);
		if (outside && outside != inside)
			return files->v[i];
	}
	return NULL;
}

/* --- those right in /run --- */

struct published {
	char *name; /* in /run */
	pid_t said; /* by the jail's file, when it was read last */
	dev_t dev;  /* of the host's file that we made; ino 0: none */
	ino_t ino;
};

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
	pid_t pid = S_ISREG(st.st_mode) ? read_number(p->outside, f->name, &st) : 0;
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
	pid_t said = read_number(p->inside, f->name, &st);

	if (said == f->said && (!said || is_ours(p, f)))
		return;
	f->said = said;
	pid_t number = number_outside(r, said);
	if (!number)
		withdraw(p, f);
	else if (!may_take(p, f))
		p->left = f->name;
	else if (put(p, f, number, &st) < 0)
		log_debug(RUN "/%s: not published", f->name);
}

static void sync_all(struct publish *p, const struct run *r)
{
	for (size_t i = 0; i < p->n; i++)
		sync_one(p, &p->files[i], r);
}

static void add(struct publish *p, const char *path)
{
	p->files = xrealloc(p->files, p->n + 1, sizeof(*p->files));
	p->files[p->n++] = (struct published){.name = xstrdup(path_base(path))};
}

/* Right in /run, where the jail has memory of its own. */
static bool is_private(const char *path, const struct layout *l)
{
	CLEANUP_STR char *up = path_parent(path);
	return streq(up, RUN) && !layout_find(l, path);
}

void publish_open(struct publish *p, const struct strv *files, const struct layout *l,
		  const struct run *r)
{
	char watched[40];
	CLEANUP_FD int root = open_root(r);

	*p = (struct publish)PUBLISH_INIT;
	for (size_t i = 0; i < files->n; i++)
		if (is_private(files->v[i], l))
			add(p, files->v[i]);
	if (!p->n || root < 0)
		return;
	p->inside = beneath_open_nolink(root, RUN, O_RDONLY | O_DIRECTORY, 0);
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
