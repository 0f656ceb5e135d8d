/* SPDX-License-Identifier: MIT */
/* rootfs_enter(): what is mounted where and how, and what it refuses. Each case in a process and a
 * mount namespace of its own, because the root changes. */
#include "confine/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/root.h"
#include "check.h"
#include "fs/beneath.h"
#include "rig.h"

static char *dir; /* holds tree/ and source/ */

static void put(const char *path, const char *text)
{
	CLEANUP_STR char *full = xasprintf("%s/%s", dir, path);
	CLEANUP_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *slash = strrchr(full, '/');

	*slash = '\0';
	CHECK_INT(beneath_mkdirs(root, full, 0755), 0);
	*slash = '/';
	if (!text)
		return;
	CLEANUP_FD int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	CHECK(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
}

static char *source(const char *name)
{
	return xasprintf("%s/source/%s", dir, name);
}

static void check_text(const char *path, const char *want)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP_STR char *text = NULL;

	if (fd >= 0)
		fd_read_all(fd, 4096, &text, NULL);
	CHECK_STR(text, want);
}

/* Whether a file can be made in @at: 0 or the errno. */
static int try_make(const char *at)
{
	CLEANUP_STR char *path = xasprintf("%s/probe", at);
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return errno;
	unlink(path);
	return 0;
}

static unsigned long flags_of(const char *path)
{
	struct statvfs fs = {0};

	CHECK_INT(statvfs(path, &fs), 0);
	return fs.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC);
}

/* A namespace as the init has it, with the tree taken hold of. */
static void begin(struct plan *p)
{
	CLEANUP_STR char *tree = xasprintf("%s/tree", dir);

	CHECK_INT(unshare(CLONE_NEWNS), 0);
	CHECK_INT(root_own(), 0);
	plan_init(p);
	p->root = open_tree(AT_FDCWD, tree, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	CHECK(p->root >= 0);
}

static void fill_plan(struct plan *p)
{
	CLEANUP_STR char *data = source("data"), *conf = source("conf"), *one = source("one"),
			 *none = source("none");
	struct mount_op *op;

	plan_mount(p, MOUNT_ROOT_RO, "/", NULL, 0);
	op = plan_mount(p, MOUNT_TMPFS, "/tmp", NULL, MOUNT_NOSUID | MOUNT_NODEV);
	op->mode = 01777;
	op->gid = 7;
	plan_mount(p, MOUNT_BIND, "/data", data, MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC);
	plan_mount(p, MOUNT_BIND, "/conf", conf, MOUNT_READONLY | MOUNT_NODEV);
	plan_mount(p, MOUNT_BIND, "/file", one, MOUNT_READONLY);
	plan_mount(p, MOUNT_BIND, "/absent", none, MOUNT_OPTIONAL);
	plan_mount(p, MOUNT_DEV, "/dev", NULL, 0);
	/* In memory: a directory, a link, what the tree has there, and binds. */
	op = plan_mount(p, MOUNT_DIR, "/tmp/d", NULL, 0);
	op->mode = 02710;
	op->uid = 5;
	op->gid = 6;
	plan_mount(p, MOUNT_LINK, "/tmp/link", "d", 0);
	plan_mount(p, MOUNT_OWN, "/tmp/own", NULL, MOUNT_READONLY | MOUNT_NODEV);
	plan_mount(p, MOUNT_OWN, "/tmp/owndir", NULL, MOUNT_READONLY | MOUNT_NODEV);
	plan_mount(p, MOUNT_BIND, "/tmp/d/data", data, 0);
	plan_mount(p, MOUNT_BIND, "/tmp/one", one, 0);
}

static void check_mounted(void)
{
	struct stat st;
	char link[16] = "";

	CHECK_INT(try_make("/"), EROFS);
	CHECK_INT(try_make("/etc"), EROFS);
	check_text("/etc/file", "of the tree");
	CHECK_INT(try_make("/tmp"), 0);
	CHECK(stat("/tmp", &st) == 0 && st.st_mode == (S_IFDIR | 01777) && st.st_gid == 7);
	CHECK_INT(flags_of("/tmp"), ST_NOSUID | ST_NODEV);
	CHECK_INT(try_make("/data"), 0);
	CHECK_INT(flags_of("/data"), ST_NOSUID | ST_NODEV | ST_NOEXEC);
	CHECK_INT(try_make("/conf"), EROFS);
	CHECK_INT(try_make("/conf/below"), EROFS); /* a mount below the source: read-only too */
	check_text("/conf/below/mounted", "mounted");
	check_text("/file", "one");
	CHECK(stat("/absent", &st) == 0 && S_ISDIR(st.st_mode)); /* the tree's own */
	CHECK(stat("/tmp/d", &st) == 0 && st.st_mode == (S_IFDIR | 02710) && st.st_uid == 5 &&
	      st.st_gid == 6);
	CHECK(readlink("/tmp/link", link, sizeof(link) - 1) == 1 && link[0] == 'd');
	check_text("/tmp/own", "own");
	check_text("/tmp/owndir/in", "in");
	CHECK_INT(try_make("/tmp/owndir"), EROFS);
	CHECK_INT(try_make("/tmp/d/data"), 0);
	check_text("/tmp/one", "one");
	CHECK(access("/tmp/hidden", F_OK) < 0); /* of the tree, and not named */
	CHECK(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
	CHECK_INT(flags_of("/dev") & ~(unsigned long)ST_NODEV, ST_NOSUID | ST_NOEXEC);
}

/* Of the old root there is nothing: no mount, no cwd, nothing above. */
static void check_old_root_gone(void)
{
	char cwd[64] = "";
	struct stat root, up;

	CHECK_STR(getcwd(cwd, sizeof(cwd)), "/");
	CHECK(stat("/", &root) == 0 && stat("/../../..", &up) == 0);
	CHECK(root.st_ino == up.st_ino && root.st_dev == up.st_dev);
	CHECK(access("/usr/bin/env", F_OK) < 0);
	CHECK(access(dir, F_OK) < 0);
}

static int case_all(void)
{
	struct plan p;
	struct err e = {0};
	CLEANUP_STR char *below = source("conf/below");

	begin(&p);
	CHECK_INT(mount("below", below, "tmpfs", 0, NULL), 0);
	put("source/conf/below/mounted", "mounted");
	fill_plan(&p);
	CHECK_INT(rootfs_enter(&p, &e), 0);
	if (e.code)
		printf("# %s\n", e.msg);
	check_mounted();
	check_old_root_gone();
	plan_done(&p);
	return 0;
}

/* What must be refused: a mount, and what the message must hold. */
static const struct refusal {
	enum mount_kind kind;
	const char *target, *source;
	int code;
	const char *says;
} refusals[] = {
    /* on the way to the source, and as the source itself */
    {MOUNT_BIND, "/data", "trap/x", -ELOOP, "symbolic link"},
    {MOUNT_BIND, "/data", "trap", -ELOOP, "symbolic link"},
    {MOUNT_BIND, "/data", "../source/../source/trap/x", -ELOOP, "symbolic link"},
    {MOUNT_BIND, "/data", "none", -ENOENT, "/source/none"},
    /* planted in the tree */
    {MOUNT_BIND, "/trap/x", "data", -ELOOP, "/trap/x"},
    {MOUNT_BIND, "/trap", "data", -ELOOP, "/trap"},
    {MOUNT_BIND, "/up/x", "data", -ELOOP, "/up/x"},
    {MOUNT_TMPFS, "/trap", NULL, -ELOOP, "/trap"},
    {MOUNT_DEV, "/trap", NULL, -ELOOP, "/trap"},
    {MOUNT_DIR, "/trap/made", NULL, -ELOOP, "/trap/made"},
    {MOUNT_LINK, "/trap/made", "x", -ELOOP, "/trap/made"},
    {MOUNT_OWN, "/trap/file", NULL, -ELOOP, "symbolic link"},
    /* out of the tree by the path itself */
    {MOUNT_BIND, "/../../source/data", "data", -EXDEV, "source/data"},
    /* a directory on a file, and where nothing is */
    {MOUNT_BIND, "/etc/file", "data", -EINVAL, "/etc/file"},
    {MOUNT_TMPFS, "/none", NULL, -ENOENT, "/none"},
};

static int case_refused(const struct refusal *c)
{
	struct plan p;
	struct err e = {0};
	CLEANUP_STR char *from = c->source && c->kind == MOUNT_BIND ? source(c->source) : NULL;

	begin(&p);
	plan_mount(&p, c->kind, c->target, from ? from : c->source, 0);
	int r = rootfs_enter(&p, &e);
	if (r != c->code || !strstr(e.msg, c->says))
		printf("# %s on %s: %d, %s\n", c->source ? c->source : "-", c->target, r, e.msg);
	CHECK_INT(r, c->code);
	CHECK_INT(e.code, c->code);
	CHECK(strstr(e.msg, c->says));
	plan_done(&p);
	return 0;
}

/* A fork; what it checked counts here. */
static void apart(int (*all)(void), const struct refusal *one)
{
	int status;

	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		check_failed = 0;
		if (all)
			all();
		else
			case_refused(one);
		fflush(stdout);
		_exit(check_failed ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0);
}

/* In a process that was chrooted to where no mount is, as in a tree of debootstrap(8). */
static int enter_from_chroot(void)
{
	struct stat jail, top;
	struct plan p;
	struct err e = {0};

	CHECK(chroot(dir) == 0 && chdir("/tree") == 0 && unshare(CLONE_NEWNS) == 0);
	CHECK_INT(root_own(), 0);
	CHECK_INT(access("/source/one", F_OK), 0);
	plan_init(&p);
	p.root = open_tree(AT_FDCWD, "/tree", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	plan_mount(&p, MOUNT_ROOT_RO, "/", NULL, 0);
	plan_mount(&p, MOUNT_BIND, "/file", "/source/one", MOUNT_READONLY);
	CHECK_INT(rootfs_enter(&p, &e), 0);
	check_text("/file", "one");
	check_old_root_gone();

	/* The namespace's own root is the jail's: nothing to break out to. */
	CHECK_INT(stat("/", &jail), 0);
	CLEANUP_FD int self = pidfd_open(getpid(), 0);
	CHECK(setns(self, CLONE_NEWNS) == 0 && stat("/", &top) == 0);
	CHECK(top.st_dev == jail.st_dev && top.st_ino == jail.st_ino);
	check_old_root_gone();
	plan_done(&p);
	return 0;
}

/* What is mounted around the chroot stays, where it was shared with us. */
static int case_chroot(void)
{
	CLEANUP_STR char *below = source("conf/below");
	struct stat was, now;

	CHECK(unshare(CLONE_NEWNS) == 0 && root_own() == 0);
	CHECK_INT(mount("below", below, "tmpfs", 0, NULL), 0);
	CHECK_INT(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL), 0);
	CHECK_INT(stat(below, &was), 0);
	apart(enter_from_chroot, NULL);
	CHECK(stat(below, &now) == 0 && now.st_dev == was.st_dev);
	CHECK_INT(access("/proc/self/ns", F_OK), 0);
	return 0;
}

static void make_files(void)
{
	CLEANUP_STR char *trap = xasprintf("%s/tree/trap", dir), *up = xasprintf("%s/tree/up", dir);
	CLEANUP_STR char *bait = xasprintf("%s/source/trap", dir), *outside = source("data");
	static const char *const dirs[] = {"tree/tmp/",		"tree/data/",	"tree/conf/",
					   "tree/dev/",		"tree/absent/", "source/data/",
					   "source/conf/below/"};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		put(dirs[i], NULL);
	put("tree/etc/file", "of the tree");
	put("tree/file", "");
	put("tree/tmp/own", "own");
	put("tree/tmp/owndir/in", "in");
	put("tree/tmp/hidden", "hidden");
	put("source/one", "one");
	put("source/data/x/in", "x");
	CHECK_INT(symlink(outside, trap), 0);
	CHECK_INT(symlink("../source/data", up), 0);
	CHECK_INT(symlink("data", bait), 0);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	rig_need_root();
	dir = rig_dir();
	make_files();
	CLEANUP_STR char *before = rig_listing(dir);
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		apart(NULL, &refusals[i]);
	CLEANUP_STR char *after = rig_listing(dir);
	CHECK_STR(after, before); /* refused in time: nothing was made anywhere */
	apart(case_all, NULL);
	apart(case_chroot, NULL);
	rig_remove(dir);
	free(dir);
	return check_done("rootfs");
}
