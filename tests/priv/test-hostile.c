/* SPDX-License-Identifier: MIT */
/* usage: test-hostile PROGRAM
 *
 * A hostile service is grown. Whatever it does: nothing outside the scratch directory changes,
 * nothing hangs, and everything ends. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "check.h"
#include "rig.h"

#define ATTACK_SECONDS "5"
#define STORM_SECONDS  "3"

static const char *program;
static char *dir, *sentinel;

static void put(const char *path, mode_t mode)
{
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	CHECK(fd >= 0 && fd_write_all(fd, path, strlen(path)) == 0 && fchmod(fd, mode) == 0);
}

static void make_dir(const char *path, mode_t mode)
{
	CHECK(mkdir(path, 0700) == 0 && chmod(path, mode) == 0);
}

/* Some files are big enough to be copied by a thread. */
static void make_files(void)
{
	for (int d = 0; d < 16; d++) {
		CLEANUP_STR char *at = xasprintf("%s/d%d", dir, d);
		CLEANUP_STR char *sub = xasprintf("%s/sub", at);
		make_dir(at, 0777);
		make_dir(sub, 0777);
		for (int f = 0; f < 32; f++) {
			CLEANUP_STR char *one = xasprintf("%s/f%d", at, f);
			CLEANUP_STR char *two = xasprintf("%s/f%d", sub, f);
			put(one, 0666);
			put(two, 0644);
			if (d == 3 && f < 4)
				CHECK_INT(truncate(one, 9 << 20), 0);
		}
	}
	for (int i = 0; i < 16; i++) {
		CLEANUP_STR char *one = xasprintf("%s/f%d", sentinel, i);
		put(one, 0666);
	}
}

/* Where the planted links lead: nothing of what was faulted may have come there. Others work on
 * this host too, so only names that we would leave count. */
static void check_no_strays(void)
{
	static const char *const dirs[] = {"/", "/etc", "/dev", "/proc", "/usr", "/var", "/tmp"};
	static const char *const names[] = {"f0", "f1", "f2", "d0", "d1", "sub", "gone", "mnt/f1"};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		DIR *d = opendir(dirs[i]);
		for (struct dirent *de; d && (de = readdir(d));)
			CHECK(!str_after(de->d_name, ".immure-"));
		closedir(d);
		for (size_t k = 0; k < ARRAY_LEN(names); k++) {
			CLEANUP_STR char *path = xasprintf("%s/%s", dirs[i], names[k]);
			CHECK(access(path, F_OK) < 0);
		}
	}
}

static bool immure_temp(const char *listing)
{
	return strstr(listing, "/.immure-");
}

static void run(const char *mode, const char *seconds, uid_t uid)
{
	const char *const argv[] = {program, mode, seconds, dir, sentinel, NULL};
	const struct rig rig = {.kind = RIG_GROW, .argv = argv, .uid = uid, .seconds = 30};
	struct rig_result r = RIG_RESULT_INIT;
	CLEANUP_STR char *host = rig_listing(dir);
	CLEANUP_STR char *outside = rig_listing(sentinel);

	CHECK_INT(rig_run(&rig, &r), 0);
	CLEANUP_STR char *host_after = rig_listing(dir);
	CLEANUP_STR char *outside_after = rig_listing(sentinel);
	printf("# %s as uid %d: %.1f s, %lu calls: %s", mode, uid, r.seconds, r.calls,
	       r.out ? r.out : "\n");
	check_no_strays();
	CHECK(streq(host, host_after));
	CHECK(streq(outside, outside_after));
	CHECK(!immure_temp(host_after) && !immure_temp(outside_after));
	CHECK(!r.killed);
	CHECK(WIFEXITED(r.status) && WEXITSTATUS(r.status) == 0);
	CHECK(r.calls > 1000);
	rig_done(&r);
}

struct told {
	ino_t pid_ns;
	char scratch[64];
};

static void tell(pid_t init, const char *scratch, void *user)
{
	const int *const to = user;
	char path[64];
	struct stat st;
	struct told t = {0};

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", init);
	if (stat(path, &st) == 0)
		t.pid_ns = st.st_ino;
	snprintf(t.scratch, sizeof(t.scratch), "%s", scratch);
	fd_write_all(to[1], &t, sizeof(t));
}

static int processes_in(ino_t pid_ns)
{
	DIR *d = opendir("/proc");
	char path[300];
	struct stat st;
	int n = 0;

	for (struct dirent *de; d && (de = readdir(d));) {
		snprintf(path, sizeof(path), "/proc/%s/ns/pid", de->d_name);
		n += de->d_name[0] > '0' && de->d_name[0] <= '9' && stat(path, &st) == 0 &&
		     st.st_ino == pid_ns;
	}
	closedir(d);
	return n;
}

static void run_until_killed(int to[2])
{
	const char *const argv[] = {program, "linger", "60", dir, sentinel, NULL};
	const struct rig rig = {
	    .kind = RIG_GROW, .argv = argv, .seconds = 60, .started = tell, .user = to};
	struct rig_result r = RIG_RESULT_INIT;

	rig_run(&rig, &r);
	_exit(1);
}

/* The supervising process is killed in mid-run: with it goes all that it had started. */
static void test_killed_supervisor(int delay_us)
{
	struct told t = {0};
	int to[2], left = -1;

	CHECK_INT(pipe2(to, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0)
		run_until_killed(to);
	close(to[1]);
	CHECK_INT(read(to[0], &t, sizeof(t)), sizeof(t));
	close(to[0]);
	usleep((unsigned)delay_us);
	CHECK(t.pid_ns && processes_in(t.pid_ns) > 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (int i = 0; left && i < 100; i++) {
		left = processes_in(t.pid_ns);
		usleep(left ? 50000 : 0);
	}
	CHECK_INT(left, 0);
	if (t.scratch[0])
		rig_remove(t.scratch); /* nobody else could */
}

static volatile bool appending;

static void *append(void *arg)
{
	CLEANUP_FD int fd = open(arg, O_WRONLY | O_APPEND | O_CLOEXEC);
	static const char line[] = "Jan  1 00:00:00 host daemon: one more line\n";

	while (appending && fd_write_all(fd, line, sizeof(line) - 1) == 0)
		usleep(50);
	return NULL;
}

/* Not hostile, only alive: the host writes on in a log while it is copied. The run is good. */
static void test_live_log(void)
{
	CLEANUP_STR char *path = xasprintf("%s/log", dir);
	const char *const argv[] = {"/bin/cat", path, NULL};
	const struct rig rig = {.kind = RIG_GROW, .argv = argv, .seconds = 30};
	struct rig_result r = RIG_RESULT_INIT;
	pthread_t id;

	CLEANUP_STR char *much = xcalloc(7 << 20, 1); /* copied at once, not by a thread */
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	memset(much, 'x', (7 << 20) - 1);
	CHECK_INT(fd_write_all(fd, much, 7 << 20), 0);
	appending = true;
	CHECK_INT(pthread_create(&id, NULL, append, path), 0);
	CHECK_INT(rig_run(&rig, &r), 0);
	CHECK(!r.killed && r.status == 0);
	appending = false;
	pthread_join(id, NULL);
	rig_done(&r);
}

int main(int argc, char **argv)
{
	rig_need_root();
	if (argc < 2)
		return 2;
	alarm(110); /* nothing may hang */
	setvbuf(stdout, NULL, _IOLBF, 0);
	program = realpath(argv[1], NULL);
	dir = rig_dir();
	sentinel = rig_dir();
	CHECK_INT(chmod(dir, 0777) | chmod(sentinel, 0777), 0);
	make_files();
	run("attack", ATTACK_SECONDS, 65534);
	run("attack", ATTACK_SECONDS, 0);
	run("storm", STORM_SECONDS, 65534);
	test_live_log();
	test_killed_supervisor(0);
	test_killed_supervisor(500000);
	rig_remove(dir);
	rig_remove(sentinel);
	free(dir);
	free(sentinel);
	free((char *)(uintptr_t)program);
	return check_done("hostile");
}
