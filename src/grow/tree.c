/* SPDX-License-Identifier: MIT */
#include "grow/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "confine/device.h"
#include "fs/beneath.h"
#include "fs/copy.h"
#include "fs/dir.h"
#include "grow/room.h"

/* A file from this size on is copied by a thread, so that other calls do not wait for it. */
#define BIG_FILE    (8u << 20)
#define MAX_THREADS 4

struct big_copy {
	struct big_copy *next;
	pthread_t thread;
	int src, dst, notify;
	struct meta meta;
	char *path, *name;
	int result;
	bool done;
};

int tree_init(struct tree *t, int world, int jail, struct record *record)
{
	*t = (struct tree){.world = world, .jail = jail, .record = record};
	t->copies_done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return t->copies_done < 0 ? -errno : 0;
}

/* The tree that the service sees. */
static int view(const struct tree *t)
{
	return t->jail >= 0 ? t->jail : t->world;
}

static void big_copy_free(struct big_copy *c)
{
	pthread_join(c->thread, NULL);
	close(c->src);
	close(c->dst);
	meta_done(&c->meta);
	free(c->path);
	free(c->name);
	free(c);
}

void tree_done(struct tree *t)
{
	while (t->copies) {
		struct big_copy *c = t->copies;
		t->copies = c->next;
		big_copy_free(c);
	}
	inodes_free(&t->links);
	inodes_free(&t->stand_ins);
	strv_done(&t->own);
	fd_close(&t->copies_done);
}

bool tree_mounted(const struct tree *t, const char *path)
{
	for (size_t i = 0; i < t->own.n; i++)
		if (path_within(path, t->own.v[i]))
			return true;
	return false;
}

bool tree_same(const struct tree *t, const char *path, pid_t tid, const char *link)
{
	struct stat here, there;
	char proc[64];

	snprintf(proc, sizeof(proc), "/proc/%d/%s", tid, link);
	return stat(proc, &there) == 0 && beneath_lstat(view(t), path, &here) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

static void fail(struct tree *t, int code, const char *path)
{
	if (!t->failure.code)
		err_errno(&t->failure, code, "putting %s into the jail%s", path,
			  code == -ENOSPC ? " (free some space, or set IMMURE_STATE_DIR)" : "");
}

/* Adding an entry changed the directory's times: back to what the host shows. */
static void restore_times(struct tree *t, const char *dir, int dir_fd)
{
	struct touch *d = record_find(t->record, dir);

	if (d && d->placed)
		utimensat(dir_fd, "", d->times, AT_EMPTY_PATH);
}

static void *copy_thread(void *arg)
{
	struct big_copy *c = arg;
	uint64_t one = 1;

	c->result = copy_node(c->src, &c->meta, c->dst, c->name);
	__atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
	ssize_t ignored = write(c->notify, &one, sizeof(one));
	(void)ignored;
	return NULL;
}

static size_t threads(const struct tree *t)
{
	size_t n = 0;
	for (const struct big_copy *c = t->copies; c; c = c->next)
		n++;
	return n;
}

/* Hands the copy to a thread; takes @src, @dst and @m over. False: no thread was to be had. */
static bool copy_aside(struct tree *t, struct touch *touch, int *src, int *dst, struct meta *m)
{
	if (threads(t) >= MAX_THREADS)
		return false;
	struct big_copy *c = xcalloc(1, sizeof(*c));
	*c = (struct big_copy){.src = *src, .dst = *dst, .notify = t->copies_done, .meta = *m};
	c->path = xstrdup(touch->path);
	c->name = xstrdup(path_base(touch->path));
	if (pthread_create(&c->thread, NULL, copy_thread, c) != 0) {
		free(c->path);
		free(c->name);
		free(c);
		return false;
	}
	*src = *dst = -1;
	*m = (struct meta)META_INIT;
	c->next = t->copies;
	t->copies = c;
	touch->making = true;
	return true;
}

/* A stand-in is nobody's first name: its bytes are not there yet. */
static void set_placed(struct touch *touch, const struct stat *st)
{
	touch->placed = touch->settled = true;
	touch->placeholder = false;
	touch->times[0] = st->st_atim;
	touch->times[1] = st->st_mtim;
}

static void remember_if_shared(struct tree *t, const struct touch *touch, const struct stat *st)
{
	if (!touch->placeholder && S_ISREG(st->st_mode) && st->st_nlink > 1 &&
	    !inodes_find(t->links, st))
		inodes_add(&t->links, st, touch->path);
}

int tree_reap_copies(struct tree *t)
{
	struct big_copy **at = &t->copies;
	uint64_t ignored;
	int n = 0;

	while (read(t->copies_done, &ignored, sizeof(ignored)) > 0)
		;
	while (*at) {
		struct big_copy *c = *at;
		if (!__atomic_load_n(&c->done, __ATOMIC_ACQUIRE)) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		struct touch *touch = record_get(t->record, c->path);
		touch->making = false;
		if (c->result < 0)
			fail(t, c->result, c->path);
		set_placed(touch, &c->meta.st);
		remember_if_shared(t, touch, &c->meta.st);
		CLEANUP_STR char *up = path_parent(c->path);
		restore_times(t, up, c->dst);
		big_copy_free(c);
		n++;
	}
	return n;
}

/* Puts the world's @touch->path into the jail: 0, or 1 where a thread does it, or -errno. */
static int place(struct tree *t, struct touch *touch, bool stand_in)
{
	struct meta m CLEANUP_META = META_INIT;
	CLEANUP_STR char *up = path_parent(touch->path);
	const char *name = path_base(touch->path);
	CLEANUP_FD int src = beneath_open_nolink(t->world, touch->path, O_PATH | O_NOFOLLOW, 0);

	if (src < 0)
		return src;
	int r = meta_read(src, &m);
	if (r < 0)
		return r;
	touch->found = m.st.st_mode & S_IFMT;
	CLEANUP_FD int dst = beneath_open_nolink(t->jail, up, O_PATH | O_DIRECTORY, 0);
	if (dst < 0)
		return -ENOTDIR; /* the service took the directory away: its own doing */
	bool regular = S_ISREG(m.st.st_mode);
	if (regular && !stand_in)
		r = room_for(t->scratch, touch->path, &m.st, ROOM_USED, &t->failure);
	if (r < 0)
		return r;
	const char *first = regular && m.st.st_nlink > 1 ? inodes_find(t->links, &m.st) : NULL;
	if (first && touch->placeholder)
		unlinkat(dst, name, 0);
	if (S_ISCHR(m.st.st_mode) || S_ISBLK(m.st.st_mode))
		r = device_copy(&m.st, dst, name); /* of a chroot of the service's own */
	else if (first && inodes_link(t->jail, first, dst, name) == 0)
		r = 0;
	else if (stand_in && regular)
		r = copy_placeholder(&m, dst, name);
	else if (regular && m.st.st_size >= BIG_FILE && copy_aside(t, touch, &src, &dst, &m))
		return 1;
	else
		r = copy_node(src, &m, dst, name);
	if (r < 0)
		return r;
	set_placed(touch, &m.st);
	touch->placeholder = stand_in && regular && !first;
	struct stat made;
	if (touch->placeholder && fstatat(dst, name, &made, AT_SYMLINK_NOFOLLOW) == 0)
		inodes_add(&t->stand_ins, &made, touch->path);
	remember_if_shared(t, touch, &m.st);
	restore_times(t, up, dst);
	return 0;
}

/* A file of the host that grows meanwhile (a log) is tried again, a few times. */
#define COPY_TRIES 5

static enum tree_answer fault(struct tree *t, struct touch *touch)
{
	int r = -ESTALE;

	if (touch->making)
		return TREE_LATER;
	for (int i = 0; i < COPY_TRIES && r == -ESTALE; i++)
		r = place(t, touch, false);
	if (r == 1)
		return TREE_LATER;
	if (r == 0)
		return TREE_THERE;
	if (r != -ENOENT && r != -ENOTDIR && r != -EPERM && r != -EACCES && r != -ELOOP)
		fail(t, r, touch->path);
	return TREE_MISSING;
}

static mode_t type_at(int root, const char *path)
{
	struct stat st;
	return beneath_lstat(root, path, &st) == 0 ? st.st_mode & S_IFMT : 0;
}

/* A stand-in under another name: the service mounted or moved its directory. The bytes go to its
 * own name, which is the same directory entry. Returns false while a thread is at it. */
static bool make_real(struct tree *t, const struct stat *st)
{
	const char *path = inodes_find(t->stand_ins, st);
	struct touch *touch = path ? record_find(t->record, path) : NULL;

	return !touch || !touch->placeholder || fault(t, touch) != TREE_LATER;
}

/* Something stands in the jail that we did not fault: the way to a mount point, made before the
 * growth, or the service's own. The first is as good as placed. */
static void adopt(struct tree *t, struct touch *touch, mode_t type)
{
	struct stat st;

	if (beneath_lstat(t->world, touch->path, &st) < 0)
		return;
	touch->found = st.st_mode & S_IFMT;
	touch->placed = touch->found == type && S_ISDIR(type);
	touch->times[0] = st.st_atim;
	touch->times[1] = st.st_mtim;
}

enum tree_answer tree_look(struct tree *t, const char *path, mode_t *ret_type,
			   struct touch **ret_touch)
{
	struct touch *touch = record_get(t->record, path);
	bool grown = t->jail >= 0 && !tree_mounted(t, path);
	bool first = !touch->found && !touch->kinds && !touch->settled;

	*ret_touch = touch;
	if (touch->settled && !touch->placeholder && S_ISDIR(touch->found)) {
		*ret_type = S_IFDIR;
		return TREE_THERE;
	}
	/* Below a mount, and where the service itself made something, the tree decides. */
	struct stat st = {0};
	if (!touch->placeholder)
		beneath_lstat(view(t), path, &st);
	*ret_type = st.st_mode & S_IFMT;
	if (*ret_type) {
		if (first && grown && S_ISREG(st.st_mode) && !make_real(t, &st))
			return TREE_LATER;
		if (first && grown)
			adopt(t, touch, *ret_type);
		else if (first)
			touch->found = *ret_type;
		touch->settled = grown || t->jail < 0;
		return TREE_THERE;
	}
	if (!grown || (touch->settled && !touch->placeholder))
		return TREE_MISSING; /* or removed by the service: it must stay so */
	enum tree_answer answer = fault(t, touch);
	*ret_type = touch->found;
	return answer;
}

static bool stopped(const struct tree *t)
{
	return __atomic_load_n(&t->stopped, __ATOMIC_RELAXED);
}

/* One entry of a listed directory. */
static void stand_in(struct tree *t, const char *dir, const char *name)
{
	CLEANUP_STR char *path = path_join(dir, name);
	struct touch *touch = record_get(t->record, path);

	touch->kinds |= TOUCH_LISTED;
	if (touch->settled || touch->making || tree_mounted(t, path) || type_at(t->jail, path))
		return;
	int r = place(t, touch, true);
	if (r == -ENOSPC || r == -EDQUOT)
		fail(t, r, path);
}

void tree_list(struct tree *t, const char *path)
{
	struct touch *touch = record_get(t->record, path);

	if (touch->listed || t->jail < 0 || tree_mounted(t, path))
		return;
	touch->listed = true;
	int fd = beneath_open_nolink(t->world, path, O_RDONLY | O_DIRECTORY, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		fd_close(&fd);
		return;
	}
	for (struct dirent *de; !stopped(t) && (de = readdir(d));)
		if (!streq(de->d_name, ".") && !streq(de->d_name, ".."))
			stand_in(t, path, de->d_name);
	closedir(d);
}

/* Makes everything below @path real, at most @room entries. */
static void pull(struct tree *t, const char *path, size_t *room)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	CLEANUP_FD int fd = beneath_open_nolink(t->world, path, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0 || dir_names(fd, &names) < 0)
		return;
	for (size_t i = 0; i < names.n && *room && !stopped(t); i++, (*room)--) {
		CLEANUP_STR char *child = path_join(path, names.v[i]);
		struct touch *touch;
		mode_t type;
		if (tree_look(t, child, &type, &touch) == TREE_THERE && S_ISDIR(type))
			pull(t, child, room);
	}
}

void tree_pull(struct tree *t, const char *path)
{
	size_t room = 10000;

	if (t->jail >= 0 && !tree_mounted(t, path))
		pull(t, path, &room);
}

void tree_complete(struct tree *t, const char *path)
{
	struct inode *i, *next;

	HASH_ITER(hh, t->stand_ins, i, next)
	{
		struct touch *touch = record_find(t->record, i->path);
		if (touch && touch->placeholder && path_within(i->path, path))
			fault(t, touch);
	}
}

bool tree_has(const struct tree *t, const char *path)
{
	return type_at(view(t), path) != 0;
}

int tree_readlink(struct tree *t, const char *path, char *buf, size_t size)
{
	return beneath_readlink(view(t), path, buf, size);
}

int tree_open(struct tree *t, const char *path)
{
	return beneath_open_nolink(view(t), path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0);
}
