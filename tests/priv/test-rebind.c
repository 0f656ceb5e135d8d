/* SPDX-License-Identifier: MIT */
/* What rebind.c and the keeper's rotate.c do to the mounts of a running jail. The "jail" is a
 * process of ours in a mount namespace and root of its own; the host's side of it stands in one
 * directory. */
#include "jail/rebind.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "check.h"
#include "confine/rootfs.h"
#include "fs/beneath.h"
#include "rig.h"

#define KEY "-----BEGIN PRIVATE KEY-----\n"

static char *dir; /* holds tree/ (the jail's root), and what the jail sees of the host */

static char *at(const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static void put(const char *name, const char *text)
{
	CLEANUP_STR char *path = at(name);
	CLEANUP_STR char *up = path_parent(path);
	CLEANUP_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	CHECK_INT(beneath_mkdirs(root, up, 0755), 0);
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	CHECK(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
}

/* As editors and renewals do it: another file of the same name. */
static void put_anew(const char *name, const char *text)
{
	CLEANUP_STR char *aside = xasprintf("%s.new", name);
	CLEANUP_STR char *from = at(aside), *to = at(name);

	put(aside, text);
	CHECK_INT(rename(from, to), 0);
}

static void turn(const char *name, const char *target)
{
	CLEANUP_STR char *path = at(name);

	unlink(path);
	CHECK_INT(symlink(target, path), 0);
}

struct jail {
	struct run run;
	int root; /* O_PATH */
};

/* Enters the root and waits to be killed. */
static NORETURN void live_in(const struct layout *l, int ready)
{
	struct plan p;
	struct err e = {0};
	CLEANUP_STR char *tree = at("tree");

	plan_init(&p);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		_exit(1);
	p.root = open_tree(AT_FDCWD, tree, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	for (size_t i = 0; i < l->n; i++) {
		CLEANUP_STR char *end = realpath(l->v[i].path, NULL);
		plan_mount(&p, MOUNT_BIND, l->v[i].path, end,
			   MOUNT_NOEXEC | (l->v[i].writable ? 0 : MOUNT_READONLY));
	}
	bool good = rootfs_enter(&p, &e) == 0 && write(ready, "", 1) == 1;
	while (good)
		pause();
	fprintf(stderr, "%s\n", e.msg);
	_exit(1);
}

static struct jail begin(const struct layout *l)
{
	struct jail j = {.run = RUN_INIT};
	int ready[2];
	char path[40], byte;

	CHECK_INT(pipe2(ready, O_CLOEXEC), 0);
	j.run.init = fork();
	if (j.run.init == 0)
		live_in(l, ready[1]);
	close(ready[1]);
	CHECK_INT(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	j.run.init_fd = pidfd_open(j.run.init, 0);
	snprintf(path, sizeof(path), "/proc/%d/root", j.run.init);
	j.root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(j.run.init_fd >= 0 && j.root >= 0);
	return j;
}

static void end(struct jail *j)
{
	kill(j->run.init, SIGKILL);
	waitpid(j->run.init, NULL, 0);
	fd_close(&j->run.init_fd);
	fd_close(&j->root);
}

/* What the jail reads there. */
static void sees(const struct jail *j, const char *name, const char *want)
{
	CLEANUP_STR char *path = at(name), *text = NULL;
	CLEANUP_FD int fd = beneath_open(j->root, path, O_RDONLY, 0);

	if (fd >= 0)
		fd_read_all(fd, 4096, &text, NULL);
	CHECK_STR(text, want);
}

/* NoExecPaths= of what was mounted first holds for what has come in its place. */
static void executes_nothing(const struct jail *j, const char *name)
{
	CLEANUP_STR char *path = at(name);
	CLEANUP_FD int fd = beneath_open(j->root, path, O_PATH, 0);
	struct statvfs vfs = {0};

	CHECK(fd >= 0 && fstatvfs(fd, &vfs) == 0);
	CHECK(vfs.f_flag & ST_NOEXEC);
}

static size_t mounts(const struct jail *j)
{
	char path[40];
	size_t n = 0;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", j->run.init);
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP_STR char *text = NULL;
	CHECK_INT(fd_read_all(fd, 1 << 20, &text, NULL), 0);
	for (const char *s = text; s && *s; s++)
		n += *s == '\n';
	return n;
}

static void test_links(void)
{
	CLEANUP_STR char *site = at("site");
	struct provision v[] = {{.path = site, .class = CLASS_CONTENT, .link = true}};
	const struct layout l = {.v = v, .n = ARRAY_LEN(v)};

	put("releases/1/page", "one");
	put("releases/2/page", "two");
	turn("site", "releases/1");
	struct jail j = begin(&l);
	size_t before = mounts(&j);
	sees(&j, "site/page", "one");
	turn("site", "releases/2");
	sees(&j, "site/page", "one");
	rebind_links(&l, &j.run);
	sees(&j, "site/page", "two");
	executes_nothing(&j, "site");
	/* To what is no content, and to nothing: it stays. */
	turn("site", "/etc");
	rebind_links(&l, &j.run);
	turn("site", "releases/3");
	rebind_links(&l, &j.run);
	sees(&j, "site/page", "two");
	turn("site", "releases/1");
	rebind_links(&l, &j.run);
	rebind_links(&l, &j.run);
	sees(&j, "site/page", "one");
	CHECK_INT(mounts(&j), before);
	end(&j);
}

static void test_files(void)
{
	CLEANUP_STR char *log = at("one.log"), *old = at("one.log.1");
	struct provision v[] = {{.path = log, .class = CLASS_LOG, .writable = true, .file = true}};
	const struct layout l = {.v = v, .n = ARRAY_LEN(v)};
	struct rotate ro CLEANUP_ROTATE = ROTATE_INIT;
	struct rotate_spec *files;

	put("one.log", "old");
	struct jail j = begin(&l);
	size_t n = rebind_files(&l, &files);
	rotate_open(&ro, files, n, &j.run);
	free(files);
	size_t before = mounts(&j);
	CHECK_INT(rename(log, old), 0);
	put("one.log", "new");
	sees(&j, "one.log", "old");
	rotate_serve(&ro, &j.run);
	executes_nothing(&j, "one.log");
	sees(&j, "one.log", "new");
	CHECK_INT(mounts(&j), before);
	end(&j);
}

static void reads(const char *name, const char *want)
{
	CLEANUP_STR char *path = at(name), *text = NULL;
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		fd_read_all(fd, 4096, &text, NULL);
	CHECK_STR(text, want);
}

static int open_inside(const struct jail *j, const char *name)
{
	CLEANUP_STR char *path = at(name);

	return beneath_open(j->root, path, O_WRONLY | O_APPEND, 0);
}

static size_t entries(void)
{
	CLEANUP_STR char *path = at(".");
	DIR *d = opendir(path);
	size_t n = 0;

	while (d && readdir(d))
		n++;
	closedir(d);
	return n;
}

/* The host makes the new file only after the jail has had a stand-in: what was or will be written
 * there is kept under a name that nobody has. */
static void test_stand_ins(void)
{
	CLEANUP_STR char *log = at("two.log"), *old = at("two.log.1");
	struct provision v[] = {{.path = log, .class = CLASS_LOG, .writable = true, .file = true}};
	const struct layout l = {.v = v, .n = ARRAY_LEN(v)};
	struct rotate ro CLEANUP_ROTATE = ROTATE_INIT;
	struct rotate_spec *files;

	put("two.log", "old");
	put("two.log.immure", "of the last time");
	struct jail j = begin(&l);
	size_t n = rebind_files(&l, &files);
	rotate_open(&ro, files, n, &j.run);
	free(files);
	for (int i = 0; i < 3; i++) {
		CHECK_INT(rename(log, old), 0);
		rotate_serve(&ro, &j.run);
		sees(&j, "two.log", "");
		CLEANUP_FD int fd = i < 2 ? open_inside(&j, "two.log") : -1;
		if (i == 0)
			CHECK_INT(fd_write_all(fd, "before", 6), 0);
		put("two.log", "new");
		rotate_serve(&ro, &j.run);
		sees(&j, "two.log", "new");
		if (i == 1)
			CHECK_INT(fd_write_all(fd, "after", 5), 0);
	}
	reads("two.log.immure", "of the last time");
	reads("two.log.immure.2", "before");
	reads("two.log.immure.3", "after");
	reads("two.log", "new");
	reads("two.log.immure.4", NULL); /* nobody had it open */
	size_t before = entries();
	CHECK_INT(rename(log, old), 0);
	rotate_serve(&ro, &j.run);
	CHECK_INT(entries(), before); /* the stand-in's name for log's */
	CHECK(rotate_wait(&ro) > 0);
	usleep(1100 * 1000);
	rotate_serve(&ro, &j.run);
	reads("two.log", "");
	CHECK_INT(rotate_wait(&ro), -1);
	end(&j);
}

static void test_masks(void)
{
	CLEANUP_STR char *conf = at("conf"), *live = at("conf/live");
	struct provision v[] = {{.path = conf, .class = CLASS_CONFIG}};
	struct layout l = {.v = v, .n = ARRAY_LEN(v)};
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT;
	struct err e = {0};

	put("conf/own", KEY "own");
	put("conf/own2", KEY "own2");
	put("conf/theirs", KEY "theirs");
	put("conf/plain", "plain");
	turn("conf/live", "own");
	layout_own(&l, live);
	struct jail j = begin(&l);
	CHECK_INT(rebind_masks(&l, &m, dir, &j.run, &e), 0);
	sees(&j, "conf/own", KEY "own");
	sees(&j, "conf/own2", "");
	sees(&j, "conf/theirs", "");
	sees(&j, "conf/plain", "plain");
	/* A renewal on the host takes the cover off; the next reload puts it on again. */
	put_anew("conf/theirs", KEY "renewed");
	sees(&j, "conf/theirs", KEY "renewed");
	turn("conf/live", "own2");
	CHECK_INT(rebind_masks(&l, &m, dir, &j.run, &e), 0);
	sees(&j, "conf/theirs", "");
	sees(&j, "conf/own2", KEY "own2");
	sees(&j, "conf/own", ""); /* of yesterday */
	size_t before = mounts(&j);
	CHECK_INT(rebind_masks(&l, &m, dir, &j.run, &e), 0);
	CHECK_INT(mounts(&j), before);
	end(&j);
	layout_done(&(struct layout){.own = l.own});
}

/* A service that puts a link in the place of a directory does not lead us to another mount. */
static void test_trapped(void)
{
	CLEANUP_STR char *data = at("data"), *sub = at("data/sub"), *moved = at("data/moved");
	CLEANUP_STR char *file = at("data/sub/file"), *other = at("other"),
			 *kept = at("other/file");
	struct provision v[] = {
	    {.path = data, .class = CLASS_STATE, .writable = true},
	    {.path = file, .class = CLASS_CONFIG, .file = true},
	    {.path = other, .class = CLASS_CONFIG},
	    {.path = kept, .class = CLASS_CONFIG, .file = true},
	};
	const struct layout l = {.v = v, .n = ARRAY_LEN(v)};
	struct rotate ro CLEANUP_ROTATE = ROTATE_INIT;
	struct rotate_spec *files;

	put("data/sub/file", "first");
	put("other/file", "kept");
	struct jail j = begin(&l);
	size_t n = rebind_files(&l, &files);
	rotate_open(&ro, files, n, &j.run);
	free(files);
	size_t before = mounts(&j);
	put_anew("data/sub/file", "second"); /* which takes its mount off */
	CHECK_INT(mounts(&j), before - 1);
	CHECK_INT(rename(sub, moved), 0);
	CHECK_INT(symlink("../other", sub), 0);
	rotate_serve(&ro, &j.run);
	CHECK_INT(mounts(&j), before - 1);
	sees(&j, "other/file", "kept");
	end(&j);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	rig_need_root();
	dir = rig_dir();
	CLEANUP_STR char *inside = xasprintf("tree%s", dir);
	const char *const points[] = {"site", "conf", "data", "other"};

	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		CLEANUP_STR char *name = xasprintf("%s/%s/x", inside, points[i]);
		put(name, "");
	}
	CLEANUP_STR char *log = xasprintf("%s/one.log", inside);
	CLEANUP_STR char *two = xasprintf("%s/two.log", inside);
	put(log, "");
	put(two, "");
	test_links();
	test_files();
	test_stand_ins();
	test_masks();
	test_trapped();
	rig_remove(dir);
	free(dir);
	return check_done("rebind");
}
