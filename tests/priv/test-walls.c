/* SPDX-License-Identifier: MIT */
/* Landlock and the self-test, on children that are confined by them. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/close_range.h>
#include <linux/seccomp.h>

#include "base/alloc.h"
#include "base/path.h"
#include "confine/calls-policy.h"
#include "confine/landlock.h"
#include "confine/rights.h"
#include "confine/selftest.h"
#include "confine/walls.h"
#include "fs-scratch.h"

/* --- Landlock --------------------------------------------------------------------------------- */

#define PORT_LISTED 18871
#define PORT_OTHER  18872

static struct scratch area;
static pid_t outside;

static char *in_area(const char *name)
{
	return path_join(area.path, name);
}

static int put(const char *name)
{
	CLEANUP_STR char *path = in_area(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int run_program(const char *name)
{
	CLEANUP_STR char *path = in_area(name);

	execl(path, "true", NULL);
	return errno;
}

static int bind_to(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? errno : 0;
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? errno : 0;
}

static socklen_t abstract(struct sockaddr_un *a)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			   (size_t)snprintf(a->sun_path + 1, 60, "immure-test-walls-%d", outside) +
			   1);
}

static int try_write(void)
{
	return put("state/new");
}
static int try_write_outside(void)
{
	return put("program/new");
}
static int try_execute(void)
{
	return run_program("program/true");
}
static int try_execute_state(void)
{
	return run_program("state/true");
}
static int try_execute_kept(void)
{
	return run_program("state/kept/true");
}
static int try_bind(void)
{
	return bind_to(PORT_LISTED);
}
static int try_bind_other(void)
{
	return bind_to(PORT_OTHER);
}
static int try_connect(void)
{
	return connect_to(PORT_LISTED);
}
static int try_signal(void)
{
	return kill(outside, 0) < 0 ? errno : 0;
}

static int try_rename(void)
{
	CLEANUP_STR char *from = in_area("state/a/f"), *to = in_area("state/b/f");

	return put("state/a/f") ? errno : rename(from, to) < 0 ? errno : 0;
}

static int try_abstract(void)
{
	struct sockaddr_un a;
	socklen_t len = abstract(&a);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return connect(fd, (struct sockaddr *)&a, len) < 0 ? errno : 0;
}

static const struct {
	const char *what;
	int (*attempt)(void);
	int want, abi;
} attempts[] = {
    {"writing in a writable place", try_write, 0, 2},
    {"writing elsewhere", try_write_outside, EACCES, 2},
    {"executing what is read-only", try_execute, 0, 2},
    {"executing what can be written", try_execute_state, EACCES, 2},
    {"executing what is read-only inside a writable place", try_execute_kept, 0, 2},
    {"renaming between directories", try_rename, 0, 2},
    {"binding a learnt port", try_bind, 0, 4},
    {"binding another port", try_bind_other, EACCES, 4},
    {"connecting", try_connect, EACCES, 4},
    {"signalling somebody outside", try_signal, EPERM, 6},
    {"connecting to an abstract socket outside", try_abstract, ECONNREFUSED, 0},
};

/* In a child: confines itself, tries, and exits with the errno. */
static void attempt(int (*call)(void))
{
	static const uint16_t ports[] = {PORT_LISTED};
	const struct landlock l = {.bind = ports, .n_bind = 1, .scoped = true};
	CLEANUP_STR char *state = in_area("state"), *kept = in_area("state/kept");
	struct err e = {0};
	struct plan p;

	plan_init(&p);
	plan_mount(&p, MOUNT_BIND, state, state, 0);
	plan_mount(&p, MOUNT_BIND, kept, kept, MOUNT_READONLY);
	if (landlock_confine(&l, &p, &e) < 0) {
		fprintf(stderr, "# %s\n", e.msg);
		_exit(255);
	}
	_exit(call());
}

static int outcome(int (*call)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		attempt(call);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void copy_true(const char *name)
{
	CLEANUP_STR char *path = in_area(name);
	CLEANUP_STR char *command = xasprintf("cp /bin/true %s", path);

	CHECK_INT(system(command), 0);
}

static void make_area(void)
{
	static const char *const dirs[] = {"program", "state", "state/a", "state/b", "state/kept"};

	area = scratch_new();
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		CLEANUP_STR char *path = in_area(dirs[i]);
		mkdir(path, 0755);
	}
	copy_true("program/true");
	copy_true("state/true");
	copy_true("state/kept/true");
}

static void test_landlock(void)
{
	int abi = landlock_abi();
	struct sockaddr_un a;

	make_area();
	outside = getpid();
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		if (abi < attempts[i].abi) {
			printf("# %s: not with ABI %d\n", attempts[i].what, abi);
			continue;
		}
		int got = outcome(attempts[i].attempt);
		if (got != attempts[i].want)
			printf("# %s: %d\n", attempts[i].what, got);
		CHECK_INT(got, attempts[i].want);
	}
	/* The socket is there now: only the scope keeps it away. */
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_INT(bind(fd, (struct sockaddr *)&a, abstract(&a)), 0);
	CHECK_INT(listen(fd, 1), 0);
	if (abi >= 6)
		CHECK_INT(outcome(try_abstract), EPERM);
	close(fd);
	scratch_done(&area);
}

static void test_missing(void)
{
	struct strv all CLEANUP_STRV = STRV_INIT, none CLEANUP_STRV = STRV_INIT;

	landlock_missing(0, &all);
	landlock_missing(1000, &none);
	CHECK(strv_has(&all, "landlock-files") && strv_has(&all, "landlock-net"));
	CHECK_INT(none.n, 0);
}

/* --- the self-test ---------------------------------------------------------------------------- */

/* What a child does otherwise than its plan says. */
struct lapse {
	const char *wall; /* that is to be named; "" where all is well */
	bool no_filter, no_new_privs_missing, dumps, stray, ignores;
	uid_t uid;
	size_t n_groups;
	bool fewer, other_umask, read_only, read_only_mount;
};

static const struct lapse lapses[] = {
    {.wall = ""},
    {.wall = "user", .uid = 1234},
    {.wall = "groups", .n_groups = 1},
    {.wall = "bounding-set", .fewer = true},
    {.wall = "no-new-privs", .no_new_privs_missing = true},
    {.wall = "filter", .no_filter = true},
    {.wall = "descriptors", .stray = true},
    {.wall = "root", .read_only = true},
    {.wall = "mounts", .read_only_mount = true},
    {.wall = "signals", .ignores = true},
    {.wall = "core-dumps", .dumps = true},
    {.wall = "umask", .other_umask = true},
};

static void set_up(const struct lapse *l, const struct sock_fprog *filter, int report)
{
	const struct rlimit none = {0, 0};

	setsid();
	close_range(3, (unsigned)report - 1, 0);
	close_range((unsigned)report + 1, ~0u, 0);
	umask(027);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	if (l->ignores)
		signal(SIGHUP, SIG_IGN);
	if (!l->dumps)
		setrlimit(RLIMIT_CORE, &none);
	if (l->stray)
		dup2(0, 77);
	if (!l->no_new_privs_missing)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!l->no_filter && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter) < 0)
		_exit(2);
	if (setgroups(0, NULL) < 0 || rights_bound(1) < 0 || rights_settle(1, 0) < 0)
		_exit(3);
}

static void lapse(const struct lapse *l, const struct sock_fprog *filter, int report)
{
	static const gid_t groups[] = {4242};
	const struct walls walls = {.capabilities = l->fewer ? 0 : 1, .no_new_privs = true};
	struct err e = {0};
	struct plan p;

	set_up(l, filter, report);
	plan_init(&p);
	p.walls = &walls;
	p.umask = l->other_umask ? 077 : 027;
	p.identity = (struct identity){.uid = l->uid, .groups = groups, .n_groups = l->n_groups};
	if (l->read_only)
		plan_mount(&p, MOUNT_ROOT_RO, "/", NULL, 0);
	if (l->read_only_mount)
		plan_mount(&p, MOUNT_BIND, "/tmp", "/tmp", MOUNT_READONLY);
	if (selftest_check(&p, report, &e) == 0)
		e.msg[0] = '\0';
	_exit(write(report, e.msg, sizeof(e.msg)) != sizeof(e.msg));
}

static void test_selftest(void)
{
	const struct call_set set = {.calls = STRV_INIT};
	struct sock_fprog filter = {0};
	struct err e = {0};

	CHECK_INT(seccomp_make(&set, &filter, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(lapses); i++) {
		char want[64] = "";
		int up[2];
		CHECK_INT(pipe(up), 0);
		pid_t pid = fork();
		if (pid == 0)
			lapse(&lapses[i], &filter, up[1]);
		close(up[1]);
		memset(e.msg, 0, sizeof(e.msg));
		CHECK_INT(read(up[0], e.msg, sizeof(e.msg)), sizeof(e.msg));
		close(up[0]);
		waitpid(pid, NULL, 0);
		snprintf(want, sizeof(want), "policy says: %s should", lapses[i].wall);
		bool good = lapses[i].wall[0] ? strstr(e.msg, want) != NULL : !e.msg[0];
		if (!good)
			printf("# %s: %s\n", lapses[i].wall, e.msg);
		CHECK(good);
	}
	seccomp_free(&filter);
}

int main(void)
{
	if (geteuid() != 0) {
		puts("1..0 # SKIP needs root");
		return 0;
	}
	test_missing();
	if (landlock_abi() >= 2)
		test_landlock();
	else
		puts("# this kernel has no Landlock that knows REFER");
	test_selftest();
	return check_done("walls");
}
