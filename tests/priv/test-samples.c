/* SPDX-License-Identifier: MIT */
/* What stands for a state directory in a world, and the live sockets that are let in. The part with
 * btrfs needs mkfs.btrfs, a loop device and a kernel that knows it. */
#include "jail/samples.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "check.h"
#include "fs/dir.h"
#include "fs/lock.h"
#include "rig.h"

static char *dir;

static char *in(const char *name)
{
	return path_join(dir, name);
}

/* @cmd, with the test's directory as $D. */
static bool sh(const char *cmd)
{
	setenv("D", dir, 1);
	int status = system(cmd);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static struct spec *spec_with(const char *section_key, const char *form)
{
	struct spec *s = spec_new("test");
	CLEANUP_STR char *value = in(form);
	struct err e = {0};
	bool jail = streq(section_key, "Sample");

	if (spec_set(s, jail ? SPEC_JAIL : SPEC_SERVICE, section_key, value, "test", &e) < 0)
		printf("# %s\n", e.msg);
	return s;
}

/* Runs @cmd by sh in the world with the test's directory as cwd; its exit status. */
static int in_world(const struct world *w, const char *cmd)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (setns(w->mnt_ns, CLONE_NEWNS) < 0 || chdir(dir) < 0)
			_exit(126);
		execl("/bin/sh", "sh", "-c", cmd, NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A twin's world of the build "scratch/BUILD" with the spec's samples in it. */
static int open_twin(const struct spec *s, const char *build, const char *twin, struct world *w,
		     struct err *e)
{
	CLEANUP_STR char *path = xasprintf("%s/scratch/%s/%s", dir, build, twin);
	CLEANUP_STR char *cmd = xasprintf("mkdir -p %s", path);

	CHECK(sh(cmd));
	int r = world_open(path, WORLD_NET_PRIVATE, w, e);
	return r < 0 ? r : samples_put(s, w, path, e);
}

static void drop(const struct spec *s, const char *build)
{
	CLEANUP_STR char *path = xasprintf("%s/scratch/%s", dir, build);
	samples_drop(s, path);
}

static void test_for(void)
{
	struct spec *s CLEANUP_SPEC = spec_new("test");
	const struct {
		const char *path, *dir;
		int index;
	} rows[] = {{"/var/lib/db", "/var/lib/db", 0},
		    {"/var/lib/db/x", "/var/lib/db", 0},
		    {"/var/lib/db/a/x", "/var/lib/db/a", 2},
		    {"/var/lib/dbx", NULL, -1},
		    {"/srv/x/y", "/srv/x", 1},
		    {"/srv", NULL, -1}};

	strv_add(&s->sample, "/var/lib/db=/srv/copy");
	strv_add(&s->sample, "/srv/x=empty");
	strv_add(&s->sample, "/var/lib/db/a=live");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_STR char *at = NULL;
		CHECK_INT(sample_for(s, rows[i].path, &at), rows[i].index);
		CHECK_STR(at, rows[i].dir);
	}
	strv_add(&s->bind_paths, "-/run/db:/run/db");
	strv_add(&s->bind_read_only_paths, "/srv/pub/");
	CHECK(sample_is_bound(s, "/run/db/sock") && sample_is_bound(s, "/srv/pub"));
	CHECK(!sample_is_bound(s, "/run/dbx") && !sample_is_bound(s, "/srv"));
}

static void test_plain(void)
{
	const struct {
		const char *sample, *cmd;
	} rows[] = {
	    {"state=live", "test \"$(cat state/file)\" = real && echo x > state/file"},
	    {"state=empty", "test -z \"$(ls state)\" && test \"$(stat -c %a state)\" = 2750 && "
			    "echo x > state/file"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w CLEANUP_WORLD = WORLD_INIT;
		struct spec *s CLEANUP_SPEC = spec_with("Sample", rows[i].sample);
		struct err e = {0};
		char build[16];
		snprintf(build, sizeof(build), "plain.%zu", i);
		CHECK_INT(open_twin(s, build, "first", &w, &e), 0);
		CHECK_STR(e.msg, "");
		CHECK_INT(in_world(&w, rows[i].cmd), 0);
		CHECK(sh("test \"$(cat $D/state/file)\" = real"));
		drop(s, build);
	}
	struct spec *s CLEANUP_SPEC = spec_new("test");
	struct world w CLEANUP_WORLD = WORLD_INIT;
	struct err e = {0};
	strv_take(&s->sample, xasprintf("%s/state=%s/copy", dir, dir));
	CHECK_INT(open_twin(s, "plain.path", "first", &w, &e), 0);
	CHECK_INT(in_world(&w, "test \"$(cat state/file)\" = copied && echo x > state/file"), 0);
	CHECK(sh("test \"$(cat $D/state/file $D/copy/file)\" = \"real\ncopied\""));
}

static void test_not_btrfs(void)
{
	struct spec *s CLEANUP_SPEC = spec_with("Sample", "state=snapshot");
	struct world w CLEANUP_WORLD = WORLD_INIT;
	struct err e = {0};

	CHECK_INT(open_twin(s, "not", "first", &w, &e), -EOPNOTSUPP);
	CHECK(strstr(e.msg, "btrfs") && strstr(e.msg, "=PATH") && strstr(e.msg, "=empty") &&
	      strstr(e.msg, "=live") && strstr(e.msg, "Stop"));
}

static int serve(const char *name)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	CLEANUP_STR char *path = in(name);
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%.100s", path);
	CHECK(bind(s, (struct sockaddr *)&un, sizeof(un)) == 0 && listen(s, 1) == 0);
	return s;
}

/* 0 or the errno of a connect in the world. */
static int reach(const struct world *w, const char *name)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	CLEANUP_STR char *path = in(name);
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		snprintf(un.sun_path, sizeof(un.sun_path), "%.100s", path);
		_exit(setns(w->mnt_ns, CLONE_NEWNS) < 0			   ? 255
		      : connect(s, (struct sockaddr *)&un, sizeof(un)) < 0 ? errno
									   : 0);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void test_sockets(void)
{
	struct spec *s CLEANUP_SPEC = spec_with("BindPaths", "open");
	struct world w CLEANUP_WORLD = WORLD_INIT;
	struct err e = {0};
	int servers[] = {serve("open/sock"), serve("open/deep/sock"), serve("other/sock"),
			 serve("other/open")};

	CHECK_INT(open_twin(s, "sockets", "first", &w, &e), 0);
	CHECK_STR(e.msg, "");
	CHECK_INT(reach(&w, "open/sock"), 0);
	CHECK_INT(reach(&w, "open/deep/sock"), 0);
	CHECK_INT(reach(&w, "other/sock"), ENOENT);
	/* of the directory nothing but the sockets: it can be written to, in the world */
	CHECK_INT(in_world(&w, "echo x > open/file && test -S open/sock && ! test -e other/open"),
		  0);
	CHECK(sh("! test -e $D/open/file"));
	for (size_t i = 0; i < ARRAY_LEN(servers); i++)
		close(servers[i]);
}

static bool make_btrfs(void)
{
	return sh(
	    "command -v mkfs.btrfs >/dev/null && truncate -s 128M $D/disk && "
	    "mkfs.btrfs -q $D/disk >/dev/null 2>&1 && mkdir $D/top $D/data && "
	    "mount -o loop $D/disk $D/top && btrfs -q subvolume create $D/top/@data && "
	    "mount -o subvol=@data \"$(findmnt -no SOURCE $D/top | sed 's/\\[.*//')\" $D/data && "
	    "mkdir -p $D/data/db/sub && echo one > $D/data/db/sub/file");
}

static bool top_is_clean(void)
{
	return sh("test \"$(ls -A $D/top)\" = @data");
}

static void check_twin(const struct spec *s, const char *twin, const char *want)
{
	struct world w CLEANUP_WORLD = WORLD_INIT;
	struct err e = {0};
	CLEANUP_STR char *cmd = xasprintf("test \"$(cat data/db/sub/file)\" = %s", want);

	CHECK_INT(open_twin(s, "b.one", twin, &w, &e), 0);
	CHECK_STR(e.msg, "");
	CHECK_INT(in_world(&w, cmd), 0);
	CHECK_INT(in_world(&w, "echo twin > data/db/sub/file && mkdir data/db/new && "
			       "mv data/db/sub data/db/moved && test -f data/db/moved/file"),
		  0);
	CHECK(sh("test -f $D/data/db/sub/file && ! test -e $D/data/db/new"));
}

static void test_snapshot(void)
{
	struct spec *s CLEANUP_SPEC = spec_with("Sample", "data/db=snapshot");
	struct spec *whole CLEANUP_SPEC = spec_with("Sample", "data=snapshot");
	struct world w CLEANUP_WORLD = WORLD_INIT;
	struct err e = {0};

	CHECK(sh("stat -c %y $D/top >$D/times"));
	/* both of a build's twins see the data of one moment; the service goes on */
	check_twin(s, "first", "one");
	CHECK(sh("echo two > $D/data/db/sub/file"));
	check_twin(s, "second", "one");
	CHECK(sh("test \"$(stat -c %a%u $D/top/.immure-snapshot.b.one)\" = 7000"));
	CHECK(sh("test \"$(ls -A $D/data)\" = db")); /* nothing appears beside the data */
	drop(s, "b.one");
	CHECK(top_is_clean());
	CHECK(sh("echo one > $D/data/db/sub/file"));
	CHECK_INT(open_twin(whole, "b.two", "first", &w, &e), 0);
	CHECK_INT(in_world(&w, "test \"$(cat data/db/sub/file)\" = one"), 0);
	drop(whole, "b.two");
	drop(whole, "b.two");
	CHECK(top_is_clean());
	CHECK(sh("stat -c %y $D/top | cmp -s - $D/times"));
}

/* A build that was killed leaves its snapshot to the next, one that lives keeps it. */
static void test_stale(void)
{
	struct spec *s CLEANUP_SPEC = spec_with("Sample", "data/db=snapshot");
	static const char *const builds[] = {"s.gone", "s.dead", "s.live", "s.next"};
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_LEN(builds); i++) {
		struct world w CLEANUP_WORLD = WORLD_INIT;
		if (i == 3)
			CHECK(sh("rm -r $D/scratch/s.gone"));
		CLEANUP_STR char *path = xasprintf("%s/scratch/s.live", dir);
		CLEANUP_FD int live = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		CLEANUP_FD int lock = live < 0 ? -1 : lock_try(live, "lock", NULL);
		CHECK(i < 3 || lock >= 0);
		CHECK_INT(open_twin(s, builds[i], "first", &w, &e), 0);
		if (i < 2) /* they live as long as it matters */
			CHECK(sh("ls -A $D/top | grep -q snapshot"));
	}
	CHECK(sh("test \"$(ls -A $D/top | tr '\\n' ' ')\" = "
		 "'.immure-snapshot.s.live .immure-snapshot.s.next @data '"));
	drop(s, "s.live");
	drop(s, "s.next");
	/* not what somebody else has put there */
	CHECK(sh("mkdir -m 0755 $D/top/.immure-snapshot.user && touch $D/top/.immure-snapshot.file "
		 "&& mkdir -m 0700 $D/top/.immure-snapshot.young"));
	struct world w CLEANUP_WORLD = WORLD_INIT;
	CHECK_INT(open_twin(s, "s.last", "first", &w, &e), 0);
	drop(s, "s.last");
	CHECK(sh("test \"$(ls -A $D/top | wc -l)\" = 4"));
	CHECK(sh("rm -r $D/top/.immure-snapshot.*"));
}

static void test_btrfs(void)
{
	if (!make_btrfs()) {
		printf("# skip snapshots: no btrfs to be had here (mkfs.btrfs, a loop device)\n");
		return;
	}
	test_snapshot();
	test_stale();
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	rig_need_root();
	/* the mounts go with this process */
	CHECK_INT(unshare(CLONE_NEWNS), 0);
	CHECK_INT(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	dir = rig_dir();
	CHECK(sh("cd $D && mkdir -m 2750 state && mkdir copy other open open/deep && "
		 "echo real > state/file && echo copied > copy/file"));
	test_for();
	test_plain();
	test_not_btrfs();
	test_sockets();
	test_btrfs();
	CHECK(sh("umount $D/data $D/top 2>/dev/null; true"));
	rig_remove(dir);
	free(dir);
	return check_done("samples");
}
