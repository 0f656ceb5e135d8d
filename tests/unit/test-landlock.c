/* SPDX-License-Identifier: MIT */
/* Each attempt is made in a child twice: confined, and free, where it must succeed. */
#include "confine/landlock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "check.h"

static char *base; /* ro/, rw/a, rw/b, ro/deep/rw, each with the program true */
static uint16_t listed, unlisted;

static char *in(const char *name)
{
	return xasprintf("%s/%s", base, name);
}

static int write_in(const char *dir)
{
	CLEANUP_STR char *path = xasprintf("%s/%s/written", base, dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return unlink(path) < 0 ? errno : 0;
}

static int execute_in(const char *dir)
{
	CLEANUP_STR char *path = xasprintf("%s/%s/true", base, dir);
	char name[] = "true";
	char *argv[] = {name, NULL};

	execv(path, argv);
	return errno;
}

static int write_ro(void)
{
	return write_in("ro");
}
static int write_rw(void)
{
	return write_in("rw/a");
}
static int write_deep(void)
{
	return write_in("ro/deep/rw");
}
static int write_beside(void)
{
	return write_in("ro/deep");
}
static int exec_ro(void)
{
	return execute_in("ro");
}
static int exec_beside(void)
{
	return execute_in("ro/deep");
}
static int exec_rw(void)
{
	return execute_in("rw/a");
}
static int exec_deep(void)
{
	return execute_in("ro/deep/rw");
}
static int exec_learnt(void)
{
	return execute_in("rw/learnt");
}
static int exec_inside(void)
{
	return execute_in("rw/ro");
}

static int rename_across(void)
{
	CLEANUP_STR char *from = in("rw/a/moving"), *to = in("rw/b/moved");

	if (mknod(from, S_IFREG | 0600, 0) < 0 || rename(from, to) < 0)
		return errno;
	return unlink(to) < 0 ? errno : 0;
}

static int truncate_ro(void)
{
	CLEANUP_STR char *path = in("ro/text");
	return truncate(path, 0) < 0 ? errno : 0;
}

static int overwrite_ro(void)
{
	CLEANUP_STR char *path = in("ro/text");
	return open(path, O_WRONLY | O_TRUNC | O_CLOEXEC) < 0 ? errno : 0;
}

static int read_ro(void)
{
	CLEANUP_STR char *path = in("ro/text");
	return open(path, O_RDONLY | O_CLOEXEC) < 0 ? errno : 0;
}

static int write_null(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return fd < 0 || write(fd, "x", 1) != 1 ? errno : 0;
}

static int write_file(void)
{
	CLEANUP_STR char *path = in("log/mounted");
	return open(path, O_WRONLY | O_TRUNC | O_CLOEXEC) < 0 ? errno : 0;
}

/* A FIFO takes what is written to it whatever its mount is. */
static int write_fifo(void)
{
	CLEANUP_STR char *path = in("ro/fifo");
	return open(path, O_RDWR | O_CLOEXEC) < 0 ? errno : 0;
}

static int with_port(uint16_t port, int (*call)(int, const struct sockaddr *, socklen_t))
{
	const struct sockaddr_in a = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return call(s, (const struct sockaddr *)&a, sizeof(a)) < 0 ? errno : 0;
}

/* Nobody listens: what reaches the peer is refused by it. */
static int knock(uint16_t port)
{
	int r = with_port(port, connect);
	return r == ECONNREFUSED ? 0 : r;
}

static int bind_listed(void)
{
	return with_port(listed, bind);
}
static int bind_unlisted(void)
{
	return with_port(unlisted, bind);
}
static int connect_listed(void)
{
	return knock(listed);
}
static int connect_unlisted(void)
{
	return knock(unlisted);
}

static int reach_abstract(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int n = snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "%s", base);

	return connect(s, (struct sockaddr *)&a,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) < 0
		   ? errno
		   : 0;
}

/* As after a rotation: another file, which is mounted where the first one was. */
static int write_rotated(void)
{
	CLEANUP_STR char *path = in("log/rotated");
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	return fd < 0 ? errno : 0;
}

static int signal_parent(void)
{
	return kill(getppid(), 0) < 0 ? errno : 0;
}

static const struct {
	const char *name;
	int (*attempt)(void);
	int want; /* errno, confined */
	int abi;
} attempts[] = {
    {"read where it is read-only", read_ro, 0, 2},
    {"write where it is read-only", write_ro, EACCES, 2},
    {"write in a writable place", write_rw, 0, 2},
    {"write in a nested writable place", write_deep, 0, 2},
    {"write beside a nested writable place", write_beside, EACCES, 2},
    {"execute where it is read-only", exec_ro, 0, 2},
    {"execute beside a nested writable place", exec_beside, 0, 2},
    {"execute from a writable place", exec_rw, EACCES, 2},
    {"execute from a nested writable place", exec_deep, EACCES, 2},
    {"execute from a writable place that was learnt", exec_learnt, 0, 2},
    {"execute from a read-only mount in a writable place", exec_inside, 0, 2},
    {"rename between directories", rename_across, 0, 2},
    {"overwrite where it is read-only", overwrite_ro, EACCES, 2},
    {"truncate by name, which is the mount's to refuse", truncate_ro, 0, 2},
    {"write to a device", write_null, 0, 2},
    {"write to a mounted file", write_file, 0, 2},
    {"write to what has replaced it", write_rotated, 0, 2},
    {"write to a FIFO that is mounted read-only", write_fifo, 0, 2},
    {"bind a listed port", bind_listed, 0, 4},
    {"bind an unlisted port", bind_unlisted, EACCES, 4},
    {"connect to a listed port", connect_listed, 0, 4},
    {"connect to an unlisted port", connect_unlisted, EACCES, 4},
    {"reach an abstract socket outside", reach_abstract, EPERM, 6},
    {"signal a process outside", signal_parent, EPERM, 6},
};

static void confine(void)
{
	struct strv execute CLEANUP_STRV = STRV_INIT;
	const struct landlock l = {.bind = &listed,
				   .n_bind = 1,
				   .connect = &listed,
				   .n_connect = 1,
				   .execute = &execute,
				   .scoped = true};
	static const struct {
		enum mount_kind kind;
		const char *name;
		unsigned flags;
	} mounts[] = {
	    {MOUNT_BIND, "rw", 0},
	    {MOUNT_DIR, "ro", 0},
	    {MOUNT_BIND, "rw/ro", MOUNT_READONLY},
	    {MOUNT_BIND, "ro/deep/rw", 0},
	    {MOUNT_BIND, "log/mounted", 0},
	    {MOUNT_BIND, "ro/fifo", MOUNT_READONLY},
	    {MOUNT_BIND, "absent", 0},
	};
	struct plan p;
	struct err e = {0};

	plan_init(&p);
	plan_mount(&p, MOUNT_ROOT_RO, "/", NULL, 0);
	plan_mount(&p, MOUNT_DEV, "/dev", NULL, 0);
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		CLEANUP_STR char *target = in(mounts[i].name);
		plan_mount(&p, mounts[i].kind, target, target, mounts[i].flags);
	}
	strv_take(&execute, in("rw/learnt"));
	strv_take(&execute, in("absent"));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || landlock_confine(&l, &p, &e) < 0) {
		printf("# %s\n", e.msg);
		fflush(stdout);
		_exit(254);
	}
	plan_done(&p);
}

/* The errno of the attempt; what is executed says 0. */
static int result_of(int (*attempt)(void), bool confined)
{
	int status = 0;

	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		if (confined)
			confine();
		_exit(attempt());
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void make_tree(void)
{
	static const char *const dirs[] = {"ro",   "ro/deep",	"ro/deep/rw", "rw", "rw/a",
					   "rw/b", "rw/learnt", "rw/ro",      "log"};
	CLEANUP_STR char *text = in("ro/text"), *mounted = in("log/mounted");
	CLEANUP_STR char *rotated = in("log/rotated"), *fifo = in("ro/fifo");

	CLEANUP_STR char *top = in("top");

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		CLEANUP_STR char *dir = in(dirs[i]);
		CLEANUP_STR char *copy = xasprintf("cp /bin/true %s/true", dir);
		CHECK(mkdir(dir, 0755) == 0);
		CHECK_INT(system(copy), 0);
	}
	CHECK(mknod(text, S_IFREG | 0644, 0) == 0);
	CHECK(mkfifo(fifo, 0644) == 0);
	CHECK(mknod(top, S_IFREG | 0644, 0) == 0);
	CHECK(mknod(rotated, S_IFREG | 0644, 0) == 0);
	CHECK(mknod(mounted, S_IFREG | 0644, 0) == 0);
}

/* A free port, which stays ours by a bound socket without SO_REUSEADDR's listener. */
static uint16_t free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(bind(s, (struct sockaddr *)&a, sizeof(a)) == 0);
	CHECK(getsockname(s, (struct sockaddr *)&a, &n) == 0);
	close(s);
	return ntohs(a.sin_port);
}

static void listen_abstract(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int n = snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "%s", base);

	CHECK(bind(s, (struct sockaddr *)&a,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) == 0);
	CHECK(listen(s, 64) == 0);
}

static void check_attempts(int abi)
{
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		int free_result = result_of(attempts[i].attempt, false);
		int result = result_of(attempts[i].attempt, true);
		if (free_result)
			printf("# free, '%s' fails: %s\n", attempts[i].name, strerror(free_result));
		CHECK_INT(free_result, 0);
		int want = abi >= attempts[i].abi ? attempts[i].want : 0;
		if (result != want)
			printf("# '%s'\n", attempts[i].name);
		CHECK_INT(result, want);
	}
}

static int open_to_write(const char *path)
{
	return open(path, O_WRONLY | O_CLOEXEC) < 0 ? errno : 0;
}

/* A file that is mounted right in the root is that file, and not all files. */
static void check_top(void)
{
	const struct landlock l = {.bind_any = true, .connect_any = true};
	int status = 0;

	if (geteuid() != 0) /* chroot(2) */
		return;
	pid_t pid = fork();
	if (pid == 0) {
		struct plan p;
		plan_init(&p);
		plan_mount(&p, MOUNT_ROOT_RO, "/", NULL, 0);
		plan_mount(&p, MOUNT_BIND, "/top", "/top", 0);
		if (chroot(base) < 0 || chdir("/") < 0 ||
		    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    landlock_confine(&l, &p, NULL) < 0)
			_exit(1);
		_exit(open_to_write("/top") ? 2 : open_to_write("/ro/text") == EACCES ? 0 : 3);
	}
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0);
}

static void check_missing(void)
{
	struct strv none CLEANUP_STRV = STRV_INIT, four CLEANUP_STRV = STRV_INIT,
			 all CLEANUP_STRV = STRV_INIT;

	landlock_missing(6, &none);
	landlock_missing(4, &four);
	landlock_missing(1, &all);
	CHECK_INT(none.n, 0);
	CHECK_INT(four.n, 2);
	CHECK(strv_has(&four, "landlock-scope") && !strv_has(&four, "landlock-net"));
	CHECK(strv_has(&all, "landlock-files"));
}

int main(void)
{
	char scratch[] = "/var/tmp/immure-landlock-XXXXXX";
	int abi = landlock_abi();

	check_missing();
	if (abi < 2) {
		printf("# skipped: this kernel's Landlock ABI is %d\n", abi);
		return check_done("landlock");
	}
	base = mkdtemp(scratch);
	CHECK(base != NULL);
	if (!base)
		return check_done("landlock");
	make_tree();
	listed = free_port();
	do
		unlisted = free_port();
	while (unlisted == listed);
	listen_abstract();
	check_attempts(abi);
	check_top();
	CLEANUP_STR char *remove = xasprintf("rm -rf %s", base);
	CHECK_INT(system(remove), 0);
	return check_done("landlock");
}
