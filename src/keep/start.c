/* SPDX-License-Identifier: MIT */
#include "keep/start.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/fnv.h"
#include "base/pack.h"
#include "fs/newer.h"

#define IMAGE_MAGIC   "start"
#define IMAGE_VERSION 3u

void start_kernel(char ret[128])
{
	struct utsname u;

	ret[0] = '\0';
	if (uname(&u) == 0)
		snprintf(ret, 128, "%.60s %.60s", u.release, u.version);
}

uint64_t start_limits(void)
{
	struct rlimit all[RLIM_NLIMITS] = {{0}};
	uint64_t most[RLIM_NLIMITS];

	if (prctl(PR_CAPBSET_READ, CAP_SYS_RESOURCE, 0, 0, 0) == 1)
		return 0;
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		getrlimit(i, &all[i]);
		most[i] = all[i].rlim_max;
	}
	return fnv(most, sizeof(most));
}

static struct start_mark mark_of(const char *path, const struct stat *st, bool whole)
{
	return (struct start_mark){.path = path,
				   .there = true,
				   .whole = whole,
				   .dev = st->st_dev,
				   .ino = st->st_ino,
				   .mode = st->st_mode,
				   .size = st->st_size,
				   .modified = st->st_mtim,
				   .changed = st->st_ctim};
}

struct start_mark start_mark(const char *path, bool whole)
{
	struct stat st;

	if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return (struct start_mark){.path = path, .whole = whole};
	return mark_of(path, &st, whole);
}

struct start_mark start_mark_of(int fd)
{
	struct stat st;

	return fd < 0 || fstat(fd, &st) < 0 ? (struct start_mark){.whole = true}
					    : mark_of(NULL, &st, true);
}

/* Directories that are marked as objects alone. */
static size_t find_marked(const struct start *s, struct newer_object *v)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_marks; i++)
		if (s->marks[i].there && !s->marks[i].whole && S_ISDIR(s->marks[i].mode))
			v[n++] = (struct newer_object){s->marks[i].dev, s->marks[i].ino};
	return n;
}

int start_print(const struct start *s, struct start_tree *trees, const struct timespec *before)
{
	struct newer_object *skip = xcalloc(s->n_marks + 1, sizeof(*skip));
	struct newer_look look = {.before = before,
				  .skip = skip,
				  .n_skip = find_marked(s, skip),
				  .left = START_TREES_MAX};
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n_trees; i++) {
		CLEANUP_FD int dir = open(trees[i].path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = dir < 0 ? -errno : newer_print(dir, &look, &trees[i].print);
	}
	free(skip);
	return r;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_mark(const struct start_mark *then, const struct start_mark *now)
{
	if (now->there != then->there || now->dev != then->dev || now->ino != then->ino ||
	    (now->mode & S_IFMT) != (then->mode & S_IFMT))
		return false;
	return !then->whole ||
	       (now->size == then->size && same_time(&now->modified, &then->modified) &&
		same_time(&now->changed, &then->changed));
}

static bool trees_hold(const struct start *s)
{
	struct start_tree *now = xcalloc(s->n_trees + 1, sizeof(*now));

	memcpy(now, s->trees, s->n_trees * sizeof(*now));
	bool hold = start_print(s, now, NULL) == 0;
	for (size_t i = 0; hold && i < s->n_trees; i++)
		hold = now[i].print == s->trees[i].print;
	free(now);
	return hold;
}

bool start_holds(const struct start *s, const char *jail, int program)
{
	struct start_mark ours = start_mark_of(program);
	char kernel[128];

	start_kernel(kernel);
	if (!streq(jail, s->jail) || !ours.there || !same_mark(&s->program, &ours) ||
	    !streq(kernel, s->kernel) || start_limits() != s->limits)
		return false;
	for (size_t i = 0; i < s->n_marks; i++) {
		struct start_mark now = start_mark(s->marks[i].path, s->marks[i].whole);
		if (!same_mark(&s->marks[i], &now))
			return false;
	}
	return trees_hold(s);
}

static void walk_mark(struct pack *w, struct start_mark *m)
{
	pack_text(w, &m->path);
	PACK_FIELD(w, m->there);
	PACK_FIELD(w, m->whole);
	PACK_FIELD(w, m->dev);
	PACK_FIELD(w, m->ino);
	PACK_FIELD(w, m->mode);
	PACK_FIELD(w, m->size);
	PACK_FIELD(w, m->modified);
	PACK_FIELD(w, m->changed);
}

static void walk_marks(struct pack *w, struct start *s)
{
	s->n_marks = pack_count(w, s->n_marks, sizeof(struct start_mark) - sizeof(char *));
	if (w->reading)
		s->marks = xcalloc(s->n_marks + 1, sizeof(*s->marks));
	for (size_t i = 0; i < s->n_marks; i++) {
		walk_mark(w, &s->marks[i]);
		w->bad |= !s->marks[i].path;
	}
}

static void walk_trees(struct pack *w, struct start *s)
{
	s->n_trees = pack_count(w, s->n_trees, sizeof(uint64_t));
	if (w->reading)
		s->trees = xcalloc(s->n_trees + 1, sizeof(*s->trees));
	for (size_t i = 0; i < s->n_trees; i++) {
		pack_text(w, &s->trees[i].path);
		PACK_FIELD(w, s->trees[i].print);
		w->bad |= !s->trees[i].path;
	}
}

static void walk_makes(struct pack *w, struct start *s)
{
	s->n_makes = pack_count(w, s->n_makes, sizeof(uint32_t));
	if (w->reading)
		s->makes = xcalloc(s->n_makes + 1, sizeof(*s->makes));
	for (size_t i = 0; i < s->n_makes; i++) {
		struct make *m = &s->makes[i];
		pack_text(w, &m->path);
		PACK_FIELD(w, m->file);
		PACK_FIELD(w, m->mode);
		PACK_FIELD(w, m->uid);
		PACK_FIELD(w, m->gid);
		w->bad |= !m->path || m->path[0] != '/';
	}
}

/* The bytes of a plan stay where they are. */
static void walk_plan(struct pack *w, struct start *s)
{
	s->plan_len = pack_count(w, s->plan_len, 1);
	if (!w->reading) {
		pack_raw(w, (char *)(uintptr_t)s->plan, s->plan_len);
		return;
	}
	s->plan = w->in + w->at;
	w->at += s->plan_len;
}

static void walk(struct pack *w, struct start *s)
{
	pack_text(w, &s->jail);
	walk_mark(w, &s->program);
	pack_text(w, &s->kernel);
	PACK_FIELD(w, s->limits);
	PACK_FIELD(w, s->generation);
	pack_text(w, &s->run_dir);
	pack_text(w, &s->point);
	pack_text(w, &s->group);
	PACK_FIELD(w, s->logs);
	logging_pack(w, &s->log);
	PACK_FIELD(w, s->notices);
	walk_marks(w, s);
	walk_trees(w, s);
	walk_makes(w, s);
	PACK_FIELD(w, s->answers);
	pack_strv(w, &s->listeners);
	pack_strv(w, &s->state);
	pack_strv(w, &s->others);
	walk_plan(w, s);
	w->bad |= !s->jail || !s->kernel || !s->run_dir || !s->group || s->notices > NOTICES_ALL;
}

char *start_write(const struct start *s, size_t *ret_len)
{
	struct pack w = pack_begin(IMAGE_MAGIC, IMAGE_VERSION);
	struct start copy = *s;

	walk(&w, &copy);
	return pack_finish(&w, ret_len);
}

int start_read(const char *bytes, size_t len, struct start *ret, struct err *e)
{
	struct pack w;

	*ret = (struct start){0};
	int r = pack_open(&w, IMAGE_MAGIC, IMAGE_VERSION, bytes, len, e);
	if (r < 0)
		return r;
	walk(&w, ret);
	if (pack_whole(&w))
		return 0;
	start_done(ret);
	return err_set(e, -EBADMSG, "the compiled start contradicts itself");
}

void start_done(struct start *s)
{
	free(s->marks);
	free(s->makes);
	free(s->trees);
	strv_done(&s->listeners);
	strv_done(&s->state);
	strv_done(&s->others);
	*s = (struct start){0};
}
