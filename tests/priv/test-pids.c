/* SPDX-License-Identifier: MIT */
/* Numbers that are the same on both sides, settings of the ipc namespace, and commands in a jail
 * that runs: on plans that keep the host's root, in namespaces of their own. */
#include "confine/pids.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "check.h"
#include "confine/enter.h"
#include "confine/ipc.h"
#include "confine/rootfs.h"
#include "rig.h"

#define SECONDS 10

static char *const env[] = {(char[]){"PATH=/usr/bin:/bin"}, NULL};

/* A plan for `sh -c @script` whose output goes to @output. */
static void plan_shell(struct plan *p, char *argv[4], const char *script, int output)
{
	static char sh[] = "sh", c[] = "-c";

	plan_init(p);
	argv[0] = sh;
	argv[1] = c;
	argv[2] = strdup(script);
	argv[3] = NULL;
	p->argv = argv;
	p->program = "/bin/sh";
	p->envp = env;
	p->cwd = "/";
	p->stdio[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	p->stdio[1] = p->stdio[2] = output;
}

static void plan_drop(struct plan *p, char *argv[4])
{
	free(argv[2]);
	close(p->stdio[0]);
	plan_done(p);
}

/* Whether what is left of `sh -c @script` after a moment has one number on both sides. */
static bool one_number(const char *script, bool same, bool forks, bool gone)
{
	struct run r CLEANUP_RUN = RUN_INIT;
	struct err e = {0};
	struct plan p;
	char *argv[4];
	pid_t inside = 0;

	plan_shell(&p, argv, script, 2);
	p.same_pid = same;
	p.forks = forks;
	CHECK_INT(run_start(&p, &r, &e), 0);
	CHECK_INT(run_wait_exec(&r, SECONDS, &e), 0);
	long end = clock_ms() + SECONDS * 1000;
	while (gone && clock_ms() < end && !(r.main_exited && run_main(&r, NULL)))
		run_poll(&r, 5);
	pid_t outside = run_main(&r, &inside);
	CHECK(outside > 0);
	run_settled(&r);
	run_end(&r);
	plan_drop(&p, argv);
	return outside == inside;
}

static void test_first(void)
{
	CHECK(one_number("sleep 30; :", true, false, false));
	CHECK(one_number("exec sleep 30", true, false, false)); /* exec changes nothing */
	CHECK(!one_number("sleep 30; :", false, false, false));
}

static void test_daemon(void)
{
	int tries = 0;

	/* Only somebody else's fork at the very moment can come between. */
	while (tries < 5 && !one_number("/bin/true; (setsid sleep 30 & )", true, true, true))
		tries++;
	CHECK(tries < 5);
	printf("# a daemon's number was right at try %d\n", tries + 1);
}

static void end_with_7(const void *arg)
{
	(void)arg;
	_exit(7);
}

/* The number is somebody else's already: any other will do, and is told. */
static void test_taken(void)
{
	pid_t pid = pids_spawn(getpid(), false, end_with_7, NULL);
	int status = 0;

	CHECK(pid > 0 && pid != getpid());
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(WEXITSTATUS(status), 7);
	pid_t number = pids_free();
	CHECK(number > 0);
	CHECK(kill(number, 0) < 0 && errno == ESRCH);
}

/* Without the rights outside the number is some other one, and nothing fails. */
static void test_no_rights(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
		struct __user_cap_data_struct none[2] = {0};
		pid_t number = pids_free();
		if (number <= 0 || syscall(SYS_capset, &head, none) < 0)
			_exit(1);
		pid_t child = pids_spawn(number - 1, true, end_with_7, NULL);
		if (child <= 0 || child == number - 1 || waitpid(child, &status, 0) != child)
			_exit(2);
		_exit(WEXITSTATUS(status));
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(WEXITSTATUS(status), 7);
}

/* In a mount namespace of its own: as large as what the host has there, where that is a tmpfs. */
static void test_sizes(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct statfs st = {0};
		if (unshare(CLONE_NEWNS) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("none", "/tmp", "tmpfs", 0, "size=12m,nr_inodes=345") < 0)
			_exit(1);
		int like = rootfs_tmpfs("/tmp", 01777, 0), unlike = rootfs_tmpfs("/proc", 01777, 0);
		if (like < 0 || unlike < 0 || fstatfs(like, &st) < 0)
			_exit(2);
		if ((long)st.f_blocks * st.f_bsize != 12 << 20 || st.f_files != 345)
			_exit(3);
		if (fstatfs(unlike, &st) < 0 || st.f_files == 345)
			_exit(4);
		_exit(0);
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
}

static void test_pacer_ends(void)
{
	struct run r CLEANUP_RUN = RUN_INIT;
	struct err e = {0};
	struct plan p;
	char *argv[4];

	plan_shell(&p, argv, "exec sleep 30", 2);
	p.same_pid = p.forks = true;
	CHECK_INT(run_start(&p, &r, &e), 0);
	CHECK_INT(run_wait_exec(&r, SECONDS, &e), 0);
	pid_t pacer = r.pacer;
	CHECK(pacer > 0 && kill(pacer, 0) == 0);
	CHECK(run_main(&r, NULL) == r.main); /* it is none of the service's processes */
	run_settled(&r);
	CHECK(kill(pacer, 0) < 0 && errno == ESRCH);
	CHECK_INT(r.pacer, 0);
	run_end(&r);
	plan_drop(&p, argv);
}

static char *text_of(int fd)
{
	char *text = NULL;

	lseek(fd, 0, SEEK_SET);
	CHECK_INT(fd_read_all(fd, 4096, &text, NULL), 0);
	return text;
}

/* In a namespace of the test's own: the host's settings are not touched. */
static void test_ipc(void)
{
	int out = memfd_create("out", MFD_CLOEXEC), status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct run r CLEANUP_RUN = RUN_INIT;
		struct plan p;
		char *argv[4];
		struct err e = {0};
		CLEANUP_FD int fd = unshare(CLONE_NEWIPC) < 0
					? -1
					: open("/proc/sys/kernel/shmmni", O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "123", 3) != 3)
			_exit(2);
		struct ipc_settings *ipc = ipc_observe();
		plan_shell(&p, argv, "cat /proc/sys/kernel/shmmni", out);
		p.ipc = ipc;
		if (run_start(&p, &r, &e) < 0 || run_wait_exec(&r, SECONDS, &e) < 0)
			_exit(3);
		while (!run_poll(&r, 100))
			;
		_exit(0);
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
	char *text = text_of(out);
	CHECK_STR(text, "123\n");
	free(text);
	close(out);
}

struct entered {
	int r, status;
	char *text;
	struct err e;
};

/* `sh -c @script` in the run @r, as user and group @id. */
static struct entered enter_as(uid_t id, const struct run *r, const char *script,
			       const char *program, double s)
{
	struct entered x = {0};
	struct plan p;
	char *argv[4];
	int out = memfd_create("out", MFD_CLOEXEC);

	plan_shell(&p, argv, script, 2);
	p.identity = (struct identity){.uid = id, .gid = id};
	p.cwd = "/usr";
	const struct step step = {.argv = argv, .program = program};
	x.r = enter_run(r, &p, &step, out, s, &x.status, &x.e);
	x.text = text_of(out);
	close(out);
	plan_drop(&p, argv);
	return x;
}

static struct entered enter(const struct run *r, const char *script, const char *program, double s)
{
	return enter_as(65534, r, script, program, s);
}

/* How many processes the init of @r has below itself, at its first level. */
static int count_children(const struct run *r)
{
	char path[64];
	int n = 0, pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", r->init, r->init);
	FILE *f = fopen(path, "re");
	while (f && fscanf(f, "%d", &pid) == 1)
		n++;
	if (f)
		fclose(f);
	return n;
}

/* What leads out of the jail is closed even to its root: the init, and the pacer's inner half. */
static void test_hidden(void)
{
	struct run r CLEANUP_RUN = RUN_INIT;
	struct err e = {0};
	struct plan p;
	char *argv[4], script[160];

	plan_shell(&p, argv, "exec sleep 30", 2);
	p.same_pid = p.forks = true;
	CHECK_INT(run_start(&p, &r, &e), 0);
	CHECK_INT(run_wait_exec(&r, SECONDS, &e), 0);
	pid_t inner = 0;
	for (int tries = 0; !inner && tries < 1000; tries++) { /* it forks in its own time */
		inner = run_first_child(r.pacer);
		usleep(inner ? 0 : 1000);
	}
	CHECK(inner > 0);
	/* Here /proc is the host's: a jail sees less. */
	snprintf(script, sizeof(script),
		 "for p in %d %d; do for f in root exe cwd fd/5; do readlink /proc/$p/$f; done; "
		 "cat /proc/$p/environ; done 2>/dev/null; id -u",
		 r.init, inner);
	struct entered x = enter_as(0, &r, script, "/bin/sh", SECONDS);
	CHECK_INT(x.r, 0);
	CHECK_STR(x.text, "0\n");
	free(x.text);
	run_end(&r);
	CHECK(kill(inner, 0) < 0 && errno == ESRCH);
	plan_drop(&p, argv);
}

static void test_enter(void)
{
	struct run r CLEANUP_RUN = RUN_INIT;
	struct err e = {0};
	struct plan p;
	char *argv[4];

	plan_shell(&p, argv, "exec sleep 30", 2);
	CHECK_INT(run_start(&p, &r, &e), 0);
	CHECK_INT(run_wait_exec(&r, SECONDS, &e), 0);

	struct entered x =
	    enter(&r, "id -u; pwd; ls /proc/self/fd | wc -l; exit 7", "/bin/sh", SECONDS);
	CHECK_INT(x.r, 0);
	CHECK_INT(WEXITSTATUS(x.status), 7);
	CHECK_STR(x.text, "65534\n/usr\n4\n"); /* 0, 1, 2, and that of ls itself */
	free(x.text);
	/* Only root may signal it, and only in the same pid namespace has it this number. */
	x = enter(&r, "kill -0 1 2>/dev/null && echo yes; kill -KILL $$", "/bin/sh", SECONDS);
	CHECK_INT(x.r, 0);
	CHECK(WIFSIGNALED(x.status));
	free(x.text);
	x = enter(&r, "", "/no/such/program", SECONDS);
	CHECK_INT(x.r, -ENOENT);
	CHECK(strstr(x.e.msg, "/no/such/program"));
	free(x.text);
	x = enter(&r, "sleep 30 & sleep 30", "/bin/sh", 0.2);
	CHECK_INT(x.r, -ETIME);
	free(x.text);
	long end = clock_ms() + 1000; /* the orphans are the init's to reap */
	while (count_children(&r) > 1 && clock_ms() < end)
		run_poll(&r, 5);
	CHECK_INT(count_children(&r), 1);
	CHECK_INT(run_first_child(r.init), r.main);
	run_end(&r);
	plan_drop(&p, argv);
}

int main(void)
{
	rig_need_root();
	test_first();
	test_daemon();
	test_taken();
	test_no_rights();
	test_sizes();
	test_pacer_ends();
	test_ipc();
	test_enter();
	test_hidden();
	return check_done("pids");
}
