/* SPDX-License-Identifier: MIT */
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>

#include "fs-scratch.h"

/* @levels directories "d" in each other below the new @name, with a file in every 1000th. */
static void make_deep(int dirfd, const char *name, int levels)
{
	CHECK_INT(mkdirat(dirfd, name, 0755), 0);
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY);
	for (int i = 1; i < levels; i++) {
		if (mkdirat(fd, "d", 0755) < 0)
			CHECK_INT(-errno, 0);
		if (i % 1000 == 0)
			put_file(fd, "file", "x");
		int down = openat(fd, "d", O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = down;
	}
	put_file(fd, "bottom", "x");
	close(fd);
}

static void test_simple(int fd)
{
	static const char *const bad[] = {"", ".", "..", "a/b", "/"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT(tree_remove(fd, bad[i]), -EINVAL);
	CHECK_INT(tree_remove(fd, "gone"), 0);
	put_file(fd, "file", "x");
	CHECK_INT(tree_remove(fd, "file"), 0);
	CHECK(!exists(fd, "file"));
	CHECK_INT(mkdirat(fd, "empty", 0755), 0);
	CHECK_INT(tree_remove(fd, "empty"), 0);
	CHECK(!exists(fd, "empty"));
	int path = openat(fd, ".", O_PATH | O_DIRECTORY);
	CHECK_INT(mkdirat(fd, "empty", geteuid() ? 0500 : 0), 0); /* root may read it */
	CHECK_INT(tree_remove(path, "empty"), 0);
	close(path);
}

static void test_links(int fd)
{
	CHECK_INT(beneath_mkdirs(fd, "keep/sub", 0755), 0);
	put_file(fd, "keep/file", "x");
	CHECK_INT(beneath_mkdirs(fd, "tree/a/b", 0755), 0);
	CHECK_INT(symlinkat("../keep", fd, "tree/link"), 0);
	CHECK_INT(symlinkat("../../keep/file", fd, "tree/a/link"), 0);
	CHECK_INT(linkat(fd, "keep/file", fd, "tree/a/b/hard", 0), 0);
	CHECK_INT(mkfifoat(fd, "tree/fifo", 0600), 0);
	CHECK_INT(symlinkat("keep", fd, "top"), 0);
	CHECK_INT(tree_remove(fd, "tree"), 0);
	CHECK_INT(tree_remove(fd, "top"), 0);
	CHECK(!exists(fd, "tree") && !exists(fd, "top"));
	CHECK(exists(fd, "keep/file") && exists(fd, "keep/sub"));
	CHECK_INT(tree_remove(fd, "keep"), 0);
}

static void test_wide(int fd)
{
	char name[64];

	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "wide/%d/%d", i % 1500, i);
		CHECK_INT(beneath_mkdirs(fd, name, 0755), 0);
		snprintf(name, sizeof(name), "wide/file-%d", i);
		put_file(fd, name, "");
	}
	CHECK_INT(tree_remove(fd, "wide"), 0);
	CHECK(!exists(fd, "wide"));
}

static void test_deep(int fd, int levels)
{
	struct rlimit few = {64, 64}, old;
	struct timespec a, b;

	make_deep(fd, "deep", levels);
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &old), 0);
	few.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_NOFILE, &few);
	clock_gettime(CLOCK_MONOTONIC, &a);
	CHECK_INT(tree_remove(fd, "deep"), 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	setrlimit(RLIMIT_NOFILE, &old);
	CHECK(!exists(fd, "deep"));
	printf("# %d levels removed in %ld ms\n", levels,
	       (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000);
}

static void set_immutable(int dirfd, const char *path, bool on, bool *ret_can)
{
	int fd = openat(dirfd, path, O_RDONLY | O_NONBLOCK);
	int flags[2] = {on ? FS_IMMUTABLE_FL : 0}; /* declared long, is int: cover both */

	*ret_can = ioctl(fd, FS_IOC_SETFLAGS, flags) == 0;
	close(fd);
}

/* The immutable file and what it lies in stay, and all else goes. */
static void test_immutable(int fd)
{
	char deep[256] = "stuck";
	bool can;

	for (int i = 0; i < 50; i++)
		strcat(deep, "/d");
	CHECK_INT(beneath_mkdirs(fd, deep, 0755), 0);
	strcat(deep, "/immutable");
	put_file(fd, deep, "x");
	put_file(fd, "stuck/d/file", "x");
	CHECK_INT(beneath_mkdirs(fd, "stuck/a/b", 0755), 0);
	CHECK_INT(beneath_mkdirs(fd, "stuck/z/b", 0755), 0);
	set_immutable(fd, deep, true, &can);
	if (!skip_unless(can, "immutable: needs root and a file system that knows it")) {
		CHECK_INT(tree_remove(fd, "stuck"), -EPERM);
		CHECK(exists(fd, deep) && !exists(fd, "stuck/d/file"));
		CHECK(!exists(fd, "stuck/a") && !exists(fd, "stuck/z"));
		set_immutable(fd, deep, false, &can);
	}
	CHECK_INT(tree_remove(fd, "stuck"), 0);
}

static void test_mounts(const struct scratch *s)
{
	char from[128], to[128];

	CHECK_INT(beneath_mkdirs(s->fd, "bound/keep", 0755), 0);
	CHECK_INT(beneath_mkdirs(s->fd, "mounts/here/sub", 0755), 0);
	CHECK_INT(beneath_mkdirs(s->fd, "mounts/other", 0755), 0);
	put_file(s->fd, "mounts/file", "x");
	snprintf(from, sizeof(from), "%s/bound", s->path);
	snprintf(to, sizeof(to), "%s/mounts/here", s->path);
	bool can = scratch_private() && mount(from, to, "", MS_BIND, "") == 0;
	if (!skip_unless(can, "mounts: needs root")) {
		/* The same file system: only the mount id tells. (s->fd shows the mounts of
		 * before.) */
		int fd = open(s->path, O_RDONLY | O_DIRECTORY);
		CHECK_INT(tree_remove(fd, "mounts"), -EXDEV);
		CHECK_INT(tree_remove(s->fd, "mounts"), -EXDEV);
		close(fd);
		CHECK(exists(s->fd, "bound/keep") && !exists(s->fd, "mounts/other"));
		umount2(to, MNT_DETACH);
		put_file(s->fd, "mounts/file", "x");
		snprintf(to, sizeof(to), "%s/mounts/file", s->path);
		snprintf(from, sizeof(from), "/proc/self/status");
		CHECK_INT(mount(from, to, "", MS_BIND, ""), 0);
		CHECK_INT(tree_remove(s->fd, "mounts"), -EXDEV);
		umount2(to, MNT_DETACH);
	}
	CHECK_INT(tree_remove(s->fd, "mounts"), 0);
	CHECK_INT(tree_remove(s->fd, "bound"), 0);
}

static atomic_bool stop, started;
static int race_fd;
static char race_from[512], race_bottom[600];

/* Takes a directory out of the tree and puts it back, all the time, once the walk is below it. */
static void *move_away(void *arg)
{
	(void)arg;
	atomic_store(&started, true);
	while (!atomic_load(&stop) && exists(race_fd, race_bottom))
		;
	while (!atomic_load(&stop)) {
		renameat(race_fd, race_from, race_fd, "out/moved");
		usleep(100);
		renameat(race_fd, "out/moved", race_fd, race_from);
	}
	return NULL;
}

/* 60 levels with something to do at the bottom, an "e" still on the walk's list at the 10th, and
 * the 20th to be moved away; "out" has those names as well. */
static void make_race(int fd)
{
	char path[512] = "race";

	CHECK_INT(beneath_mkdirs(fd, "out/d", 0755), 0);
	CHECK_INT(beneath_mkdirs(fd, "out/e/keep", 0755), 0);
	for (int i = 0; i < 60; i++)
		strcat(path, "/d");
	snprintf(race_from, sizeof(race_from), "%.*s", (int)strlen("race") + 20 * 2, path);
	CHECK_INT(beneath_mkdirs(fd, path, 0755), 0);
	for (int i = 0; i < 300; i++) {
		char file[600];
		snprintf(file, sizeof(file), "%s/%d", path, i);
		put_file(fd, file, "x");
	}
	snprintf(race_bottom, sizeof(race_bottom), "%s/99", path);
	for (int i = 1; i < 20; i++) {
		char beside[600];
		snprintf(beside, sizeof(beside), "%.*s/e", (int)strlen("race") + i * 2, path);
		CHECK_INT(beneath_mkdirs(fd, beside, 0755), 0);
	}
}

static void test_moved(int fd)
{
	pthread_t thread;
	int gave_up = 0;

	race_fd = fd;
	for (int n = 0; n < 25; n++) {
		atomic_store(&stop, false);
		atomic_store(&started, false);
		make_race(fd);
		CHECK_INT(pthread_create(&thread, NULL, move_away, NULL), 0);
		while (!atomic_load(&started))
			;
		int r = tree_remove(fd, "race");
		CHECK(r == 0 || r == -ESTALE || r == -ENOTEMPTY);
		gave_up += r != 0;
		atomic_store(&stop, true);
		pthread_join(thread, NULL);
		if (!exists(fd, "out/d") || !exists(fd, "out/e/keep"))
			CHECK(!"something outside was removed");
		CHECK_INT(tree_remove(fd, "race"), 0);
		CHECK_INT(tree_remove(fd, "out"), 0);
	}
	printf("# moved away 25 times, %d removals gave up\n", gave_up);
}

int main(void)
{
	const char *levels = getenv("IMMURE_TEST_LEVELS");
	struct scratch s = scratch_new();
	int fds = count_fds();

	test_simple(s.fd);
	test_links(s.fd);
	test_wide(s.fd);
	test_immutable(s.fd);
	test_mounts(&s);
	test_moved(s.fd);
	test_deep(s.fd, 2000);
	CHECK_INT(count_fds(), fds);
	int big = scratch_mount(&s, "big", "tmpfs", "nr_inodes=0");
	if (!skip_unless(big >= 0, "100000 levels: needs root for a tmpfs"))
		test_deep(big, levels ? atoi(levels) : 100000);
	close(big);
	scratch_unmount(&s, "big");
	scratch_done(&s);
	return check_done("tree");
}
