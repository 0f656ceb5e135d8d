/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "fs-scratch.h"

#define MARK "inside"

/* DIR/outside is what must never be reached, DIR/root the tree. */
static void plant(const struct scratch *s, int root)
{
	put_file(s->fd, "outside", "outside");
	put_file(root, "outside", MARK);
	CHECK_INT(mkdirat(root, "etc", 0755), 0);
	put_file(root, "etc/file", MARK);
	CHECK_INT(symlinkat("/etc/file", root, "absolute"), 0);
	CHECK_INT(symlinkat("../../../../outside", root, "etc/climb"), 0);
	CHECK_INT(symlinkat("/", root, "etc/top"), 0);
	CHECK_INT(symlinkat("loop", root, "loop"), 0);
	CHECK_INT(symlinkat("/nowhere", root, "dangling"), 0);
	CHECK_INT(symlinkat("/etc", root, "dirlink"), 0);
	CHECK_INT(mkdirat(root, "proc", 0755), 0);
}

static int open_says(int root, const char *path)
{
	char text[16] = "";
	int fd = beneath_open(root, path, O_RDONLY, 0);

	if (fd < 0)
		return fd;
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK(read(fd, text, sizeof(text) - 1) > 0);
	CHECK_STR(text, MARK);
	close(fd);
	return 0;
}

static void test_open(int root)
{
	static const struct {
		const char *path;
		int want, want_nolink;
	} rows[] = {
	    {"etc/file", 0, 0},
	    {"/etc/file", 0, 0},
	    {"///etc//./file", 0, 0},
	    {"absolute", 0, -ELOOP},
	    {"etc/climb", 0, -ELOOP},
	    {"../outside", 0, 0},
	    {"../../../etc/../outside", 0, 0},
	    {"etc/top/outside", 0, -ELOOP},
	    {"loop", -ELOOP, -ELOOP},
	    {"dangling", -ENOENT, -ELOOP},
	    {"missing", -ENOENT, -ENOENT},
	    {"etc/file/x", -ENOTDIR, -ENOTDIR},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK_INT(open_says(root, rows[i].path), rows[i].want);
		int fd = beneath_open_nolink(root, rows[i].path, O_RDONLY, 0);
		CHECK_INT(fd < 0 ? fd : 0, rows[i].want_nolink);
		if (fd >= 0)
			close(fd);
	}
	for (int i = 0; i < 2; i++) {
		int fd = beneath_open(root, i ? "" : "/", O_PATH, 0);
		struct stat a, b;
		CHECK(fstat(fd, &a) == 0 && fstat(root, &b) == 0 && a.st_ino == b.st_ino);
		close(fd);
	}
	int fd = beneath_open(root, "etc/new", O_WRONLY | O_CREAT | O_EXCL, 0640);
	struct stat st;
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode));
	close(fd);
}

static void test_magic_links(void)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	CHECK_INT(beneath_open(root, "proc/self/root/etc", O_PATH, 0), -ELOOP);
	CHECK_INT(beneath_open(root, "proc/self/fd/0", O_RDONLY, 0), -ELOOP);
	close(root);
}

static void test_parent(int root)
{
	static const char *const bad[] = {"/", "", ".", "..", "etc/..", "etc/.", "etc/", "../"};
	const char path[] = "/dirlink/some", *name = NULL;
	struct stat a, b;
	int fd = beneath_parent(root, path, &name);

	CHECK(fd >= 0 && name == path + strlen("/dirlink/"));
	CHECK(fstat(fd, &a) == 0 && fstatat(root, "etc", &b, 0) == 0 && a.st_ino == b.st_ino);
	close(fd);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT(beneath_parent(root, bad[i], &name), -EINVAL);
	fd = beneath_parent(root, "file", &name);
	CHECK(fd >= 0);
	CHECK_STR(name, "file");
	close(fd);
	CHECK_INT(beneath_parent(root, "missing/x", &name), -ENOENT);
	CHECK_INT(beneath_parent(root, "etc/file/x", &name), -ENOTDIR);
	char *huge = calloc(1, PATH_MAX + 10);
	memset(huge, 'x', PATH_MAX + 5);
	huge[PATH_MAX + 2] = '/';
	CHECK_INT(beneath_parent(root, huge, &name), -ENAMETOOLONG);
	CHECK_INT(beneath_mkdirs(root, huge, 0755), -ENAMETOOLONG);
	free(huge);
}

static void test_lstat(int root)
{
	struct stat st;

	CHECK_INT(beneath_lstat(root, "/absolute", &st), 0);
	CHECK(S_ISLNK(st.st_mode));
	CHECK_INT(beneath_lstat(root, "/etc/file", &st), 0);
	CHECK(S_ISREG(st.st_mode));
	CHECK_INT(beneath_lstat(root, "/", &st), 0);
	CHECK(S_ISDIR(st.st_mode));
	CHECK_INT(beneath_lstat(root, "dirlink/file", &st), -ELOOP);
	CHECK_INT(beneath_lstat(root, "gone", &st), -ENOENT);
}

static void test_readlink(int root)
{
	char buf[11];

	CHECK_INT(beneath_readlink(root, "absolute", buf, sizeof(buf)), 0);
	CHECK_STR(buf, "/etc/file");
	CHECK_INT(beneath_readlink(root, "dirlink/top", buf, sizeof(buf)), 0);
	CHECK_STR(buf, "/");
	CHECK_INT(beneath_readlink(root, "absolute", buf, 9), -ENAMETOOLONG);
	CHECK_INT(beneath_readlink(root, "absolute", buf, 10), 0);
	CHECK_INT(beneath_readlink(root, "etc/file", buf, sizeof(buf)), -EINVAL);
	CHECK_INT(beneath_readlink(root, "etc", buf, sizeof(buf)), -EINVAL);
}

static void check_dir(int root, const char *path, mode_t mode)
{
	struct stat st = {0};

	CHECK_INT(fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(S_ISDIR(st.st_mode));
	CHECK_INT(st.st_mode & 07777, mode);
	if (geteuid() == 0)
		CHECK(st.st_uid == 0 && st.st_gid == 0);
}

static void test_mkdirs(const struct scratch *s, int root)
{
	CHECK_INT(beneath_mkdirs(root, "/a/b//c/", 0755), 0);
	check_dir(root, "a", 0755);
	check_dir(root, "a/b/c", 0755);
	CHECK_INT(beneath_mkdirs(root, "a/b/c", 0700), 0);
	check_dir(root, "a/b/c", 0755);
	CHECK_INT(beneath_mkdirs(root, "one", 01777), 0);
	check_dir(root, "one", 01777);
	CHECK_INT(beneath_mkdirs(root, "/", 0700), 0);
	CHECK_INT(beneath_mkdirs(root, "../../up/./x/../y", 0711), 0);
	check_dir(root, "up/y", 0711);
	CHECK_INT(beneath_mkdirs(root, "dirlink/below", 0755), 0);
	check_dir(root, "etc/below", 0755);
	CHECK_INT(beneath_mkdirs(root, "dangling/x", 0755), -ENOENT);
	CHECK(!exists(s->fd, "up") && !exists(root, "nowhere"));
	CHECK_INT(beneath_mkdirs(root, "etc/file/x", 0755), -ENOTDIR);
	CHECK_INT(beneath_mkdirs(root, "etc/file", 0755), -ENOTDIR);
	/* A set-group-id parent does not get its way. */
	CHECK_INT(fchmodat(root, "one", 02777, 0), 0);
	if (geteuid() == 0)
		CHECK_INT(fchownat(root, "one", 5, 5, 0), 0);
	CHECK_INT(beneath_mkdirs(root, "one/two", 0750), 0);
	check_dir(root, "one/two", 0750);
}

static atomic_bool stop;
static int race_root;

static void *swap(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		renameat(race_root, "etc/sub", race_root, "sub");
		renameat(race_root, "sub", race_root, "etc/sub");
		renameat2(race_root, "real", race_root, "evil", RENAME_EXCHANGE);
	}
	return NULL;
}

/* Renames and swapped links all around: never outside, and no EAGAIN comes out. */
static void test_race(int root)
{
	static const char *const paths[] = {"etc/sub/../../outside", "real/../outside",
					    "etc/../etc/climb", "etc/top/../outside"};
	pthread_t thread;

	CHECK_INT(beneath_mkdirs(root, "etc/sub", 0755), 0);
	CHECK_INT(beneath_mkdirs(root, "real", 0755), 0);
	CHECK_INT(symlinkat("../../../..", root, "evil"), 0);
	race_root = root;
	CHECK_INT(pthread_create(&thread, NULL, swap, NULL), 0);
	for (int i = 0; i < 20000; i++) {
		int r = open_says(root, paths[i % 4]);
		if (r < 0 && r != -ENOENT)
			CHECK_INT(r, 0);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
}

static void test_names(void)
{
	CHECK(beneath_is_name("a") && beneath_is_name("...") && beneath_is_name(".a"));
	CHECK(beneath_is_name("..a") && beneath_is_name(" "));
	CHECK(!beneath_is_name("") && !beneath_is_name(".") && !beneath_is_name(".."));
	CHECK(!beneath_is_name("a/") && !beneath_is_name("/") && !beneath_is_name("a/b"));
}

int main(void)
{
	struct scratch s = scratch_new();
	int fds = count_fds();

	CHECK_INT(mkdirat(s.fd, "root", 0755), 0);
	int root = openat(s.fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	plant(&s, root);
	test_names();
	test_open(root);
	test_magic_links();
	test_parent(root);
	test_lstat(root);
	test_readlink(root);
	test_mkdirs(&s, root);
	test_race(root);
	close(root);
	CHECK_INT(count_fds(), fds);
	scratch_done(&s);
	return check_done("beneath");
}
