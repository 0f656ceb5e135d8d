/* SPDX-License-Identifier: MIT */
/* usage: test-hostile PROGRAM
 *
 * A hostile service is grown. Whatever it does: nothing outside the scratch directory changes,
 * nothing hangs, and everything ends. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

static bool immure_temp(const char *listing)
{
	return strstr(listing, "/.immure-");
}

static void run(const char *mode, const char *seconds, uid_t uid)
{
	const char *const argv[] = {program, mode, seconds, dir, sentinel, NULL};
	const struct rig rig = {.kind = RIG_GROW, .argv = argv, .uid = uid, .seconds = 30};
	struct rig_result r = RIG_RESULT_INIT;
	CLEANUP_STR char *etc = rig_listing("/etc");
	CLEANUP_STR char *host = rig_listing(dir);
	CLEANUP_STR char *outside = rig_listing(sentinel);

	CHECK_INT(rig_run(&rig, &r), 0);
	CLEANUP_STR char *etc_after = rig_listing("/etc");
	CLEANUP_STR char *host_after = rig_listing(dir);
	CLEANUP_STR char *outside_after = rig_listing(sentinel);
	printf("# %s as uid %d: %.1f s, %lu calls: %s", mode, uid, r.seconds, r.calls,
	       r.out ? r.out : "\n");
	CHECK(streq(etc, etc_after));
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
	test_killed_supervisor(0);
	test_killed_supervisor(500000);
	rig_remove(dir);
	rig_remove(sentinel);
	free(dir);
	free(sentinel);
	free((char *)(uintptr_t)program);
	return check_done("hostile");
}
