/* SPDX-License-Identifier: MIT */
#include "jail/rebind.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "fs/beneath.h"

/* How long the host's rotation has for making the new file before we make it. */
#define CREATE_AFTER_MS 1000

struct rebind_file {
	char *path;
	bool writable;
	int watch;	/* of its directory */
	struct stat st; /* of the file that is mounted now */
	long due; /* when a missing file is made, in milliseconds of the clock; 0: it is not missing
		   */
};

void rebind_open(struct rebind *rb, const struct layout *l)
{
	*rb = (struct rebind)REBIND_INIT;
	for (size_t i = 0; i < l->n; i++) {
		if (!l->v[i].file || l->v[i].class == CLASS_KERNEL)
			continue;
		if (rb->inotify < 0)
			rb->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
		CLEANUP_STR char *dir = path_parent(l->v[i].path);
		struct rebind_file f = {.path = xstrdup(l->v[i].path),
					.writable = l->v[i].writable};
		f.watch = inotify_add_watch(rb->inotify, dir,
					    IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE);
		if (lstat(f.path, &f.st) < 0)
			f.st = (struct stat){0};
		rb->files = xrealloc(rb->files, rb->n + 1, sizeof(*rb->files));
		rb->files[rb->n++] = f;
	}
}

/* In a process of its own: takes hold of the host's file, enters the jail's mount namespace, and
 * puts it where the old one was. No link is followed on either side. */
static NORETURN void replace(const struct rebind_file *f, const struct run *r)
{
	const char *path = f->path;
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
	if (!f->writable)
		attr.attr_set |= MOUNT_ATTR_RDONLY;
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int file = beneath_open_nolink(host, path, O_PATH | O_NOFOLLOW, 0);
	struct stat st;

	if (file < 0 || fstat(file, &st) < 0 || !S_ISREG(st.st_mode))
		_exit(1);
	int mnt = open_tree(file, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (mnt < 0 || mount_setattr(mnt, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		_exit(2);
	if (setns(r->init_fd, CLONE_NEWNS) < 0)
		_exit(3);
	umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int at = beneath_open_nolink(root, path, O_PATH | O_NOFOLLOW, 0);
	if (at < 0 ||
	    move_mount(mnt, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		_exit(4);
	_exit(0);
}

static void check(struct rebind_file *f, const struct run *r)
{
	struct stat st;

	if (lstat(f->path, &st) < 0) {
		if (!f->due && f->writable)
			f->due = clock_ms() + CREATE_AFTER_MS;
		return;
	}
	f->due = 0;
	if (st.st_ino == f->st.st_ino && st.st_dev == f->st.st_dev)
		return;
	int status = 0;
	pid_t pid = fork();
	if (pid == 0)
		replace(f, r);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	log_debug("%s was replaced on the host: mounted anew (%d)", f->path, status);
	f->st = st;
}

/* Nobody made a new one: the service expects one. */
static void make(struct rebind_file *f)
{
	int fd = open(f->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	f->due = 0;
	if (fd < 0)
		return;
	/* Never set-id: the service may have given the old one any mode. */
	if (fchown(fd, f->st.st_uid, f->st.st_gid) == 0)
		fchmod(fd, f->st.st_mode & 0777);
	close(fd);
}

void rebind_serve(struct rebind *rb, const struct run *r)
{
	char events[64 * (sizeof(struct inotify_event) + NAME_MAX + 1)];

	/* Which file it was matters less than the state in which the directory is now. */
	while (rb->inotify >= 0 && read(rb->inotify, events, sizeof(events)) > 0)
		;
	for (size_t i = 0; i < rb->n; i++) {
		if (rb->files[i].due && clock_ms() >= rb->files[i].due)
			make(&rb->files[i]);
		check(&rb->files[i], r);
	}
}

int rebind_wait(const struct rebind *rb)
{
	long soonest = 0;

	for (size_t i = 0; i < rb->n; i++)
		if (rb->files[i].due && (!soonest || rb->files[i].due < soonest))
			soonest = rb->files[i].due;
	if (!soonest)
		return -1;
	long left = soonest - clock_ms();
	return left < 0 ? 0 : (int)left;
}

void rebind_done(struct rebind *rb)
{
	for (size_t i = 0; i < rb->n; i++)
		free(rb->files[i].path);
	free(rb->files);
	fd_close(&rb->inotify);
	*rb = (struct rebind)REBIND_INIT;
}
