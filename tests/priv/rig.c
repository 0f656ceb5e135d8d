/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "confine/run.h"
#include "fs/beneath.h"
#include "grow/filter.h"
#include "grow/supervisor.h"
#include "jail/lay.h"
#include "jail/mounts.h"
#include "world/world.h"

struct stage {
	const struct rig *rig;
	struct rig_result *res;
	struct world world;
	struct plan plan;
	struct run run;
	struct sock_fprog filter;
	struct supervisor *supervisor;
	int jail, null, output;
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void rig_need_root(void)
{
	if (geteuid() == 0)
		return;
	printf("needs root\n");
	exit(77);
}

char *rig_dir(void)
{
	char *path = xstrdup("/var/tmp/im-XXXXXX");

	if (!mkdtemp(path) || chmod(path, 0755) < 0)
		abort();
	return path;
}

void rig_remove(const char *path)
{
	CLEANUP_STR char *up = path_parent(path);
	CLEANUP_FD int fd = open(up, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	tree_remove(fd, path_base(path));
}

static int lay_tree(struct stage *s, const char *tree, struct err *e)
{
	const struct layout none = LAYOUT_INIT;
	struct lay lay;
	int r = mkdir(tree, 0755) < 0 ? -errno : lay_open(&lay, s->world.root, tree, e);

	if (r < 0)
		return r;
	r = mounts_points(&lay, &none, e);
	lay_close(&lay);
	s->plan.root = open_tree(AT_FDCWD, tree, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return r < 0		  ? r
	       : s->plan.root < 0 ? -errno
				  : mounts_growth(&s->plan, &none, s->world.root, e);
}

static int make_plan(struct stage *s, struct err *e)
{
	static char *const env[] = {(char *)(uintptr_t) "PATH=/usr/bin:/bin",
				    (char *)(uintptr_t) "LC_ALL=C", NULL};
	CLEANUP_STR char *out = path_join(s->res->scratch, "output");
	CLEANUP_STR char *tree = path_join(s->res->scratch, "tree");
	struct plan *p = &s->plan;

	s->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	s->output = open(out, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	p->mnt_ns = s->world.mnt_ns;
	p->net_ns = s->world.net_ns;
	p->ipc_ns = s->world.ipc_ns;
	p->uts_ns = s->world.uts_ns;
	p->identity = (struct identity){.uid = s->rig->uid, .gid = s->rig->uid};
	p->argv = (char *const *)(uintptr_t)s->rig->argv;
	p->program = s->rig->argv[0];
	p->envp = env;
	p->cwd = s->rig->cwd ? s->rig->cwd : "/";
	p->stdio[0] = s->null;
	p->stdio[1] = p->stdio[2] = s->output;
	p->filter = s->rig->kind == RIG_PLAIN ? NULL : &s->filter;
	return s->rig->kind == RIG_GROW ? lay_tree(s, tree, e) : 0;
}

static int supervise(struct stage *s, struct err *e)
{
	struct strv own CLEANUP_STRV = STRV_INIT;
	char path[64];

	if (s->rig->kind == RIG_PLAIN)
		return 0;
	if (s->rig->kind == RIG_GROW) {
		snprintf(path, sizeof(path), "/proc/%d/root", s->run.init);
		s->jail = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		for (size_t i = 0; i < s->plan.mounts.n; i++)
			strv_add(&own, s->plan.mounts.v[i].target);
	}
	s->res->record = record_new();
	const struct supervisor_config c = {
	    .listener = take_fd(&s->run.listener),
	    .world = s->world.root,
	    .jail = s->jail,
	    .own_mounts = &own,
	    .init = -1,
	    .record = s->res->record,
	};
	return supervisor_start(&c, &s->supervisor, e);
}

static int start(struct stage *s, struct err *e)
{
	int r = world_open(s->res->scratch, WORLD_NET_PRIVATE, &s->world, e);

	if (r == 0)
		r = make_plan(s, e);
	if (r == 0)
		r = filter_make(&s->filter, false, e);
	if (r == 0)
		r = run_start(&s->plan, &s->run, e);
	if (r == 0)
		r = supervise(s, e);
	return r == 0 ? run_wait_exec(&s->run, 60, e) : r;
}

static int play(struct stage *s, struct err *e)
{
	double begin = now();
	int r = start(s, e);

	if (r < 0)
		return r;
	if (s->rig->started)
		s->rig->started(s->run.init, s->res->scratch, s->rig->user);
	double end = now() + s->rig->seconds;
	while (!run_poll(&s->run, 20) && now() < end)
		;
	s->res->killed = now() >= end;
	s->res->status = s->run.main_exited ? s->run.main_status : -1;
	s->res->calls = supervisor_calls(s->supervisor);
	run_end(&s->run);
	r = supervisor_stop(s->supervisor, e);
	s->supervisor = NULL;
	s->res->seconds = now() - begin;
	lseek(s->output, 0, SEEK_SET);
	fd_read_all(s->output, 64 << 20, &s->res->out, NULL);
	return r;
}

int rig_run(const struct rig *rig, struct rig_result *ret)
{
	struct stage s = {.rig = rig,
			  .res = ret,
			  .world = WORLD_INIT,
			  .run = RUN_INIT,
			  .jail = -1,
			  .null = -1,
			  .output = -1};
	struct err e = {0};

	*ret = (struct rig_result){.scratch = rig_dir()};
	plan_init(&s.plan);
	int r = play(&s, &e);
	run_end(&s.run);
	supervisor_stop(s.supervisor, NULL);
	fd_close(&s.plan.root);
	plan_done(&s.plan);
	filter_free(&s.filter);
	fd_close(&s.jail);
	fd_close(&s.null);
	fd_close(&s.output);
	world_close(&s.world);
	if (r < 0)
		printf("# %s\n", e.msg);
	return r < 0 ? -1 : 0;
}

void rig_done(struct rig_result *r)
{
	record_free(r->record);
	free(r->out);
	if (r->scratch)
		rig_remove(r->scratch);
	free(r->scratch);
	*r = (struct rig_result)RIG_RESULT_INIT;
}

static struct strv *listing_lines;

static unsigned long sum_of(const char *path)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME | O_CLOEXEC);
	unsigned char buf[65536];
	unsigned long sum = 5381;
	ssize_t n;

	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			sum = sum * 33 + buf[i];
	return sum;
}

static int list_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	char link[256] = "";
	(void)type;
	(void)at;

	ssize_t n = S_ISLNK(st->st_mode) ? readlink(path, link, sizeof(link) - 1) : 0;
	link[n > 0 ? n : 0] = '\0';
	strv_take(listing_lines,
		  xasprintf("%s %o %u:%u nlink=%lu ino=%lu size=%lld m=%lld.%ld c=%lld.%ld %lx %s",
			    path, st->st_mode, st->st_uid, st->st_gid, (unsigned long)st->st_nlink,
			    (unsigned long)st->st_ino, (long long)st->st_size,
			    (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
			    (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec,
			    S_ISREG(st->st_mode) ? sum_of(path) : 0, link));
	return 0;
}

char *rig_listing(const char *dir)
{
	struct strv lines CLEANUP_STRV = STRV_INIT;
	size_t len = 0;

	listing_lines = &lines;
	nftw(dir, list_one, 32, FTW_PHYS);
	strv_sort_unique(&lines);
	for (size_t i = 0; i < lines.n; i++)
		len += strlen(lines.v[i]) + 1;
	char *all = xcalloc(len + 1, 1), *to = all;
	for (size_t i = 0; i < lines.n; i++)
		to += sprintf(to, "%s\n", lines.v[i]);
	return all;
}
