/* SPDX-License-Identifier: MIT */
/* usage: test-world PROGRAM
 *
 * What happens in a world stays there, and what a service can see of the host's face is right. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "check.h"
#include "rig.h"

/* The program's lines, as they must be. */
static const char *const expected[] = {
    /* the minimal /dev, with terminals and memory of its own */
    "/dev: fd full log null ptmx pts random shm stderr stdin stdout tty urandom zero",
    "/dev/pts: ptmx",
    "/dev/shm:",
    "sethostname: EPERM",
    "pid: 1",
    "processes: 2",
    "host segment: ENOENT",
    "own segment: ok",
    /* nobody of the host's answers, and nothing is in the way */
    "live socket: ENOENT",
    "its relative name: ENOENT",
    "its name in a root of its own: ENOENT",
    "abstract: ECONNREFUSED",
    "pid file: ENOENT",
    "pid of the dead: ENOENT",
    "a process's number: ENOENT",
    "another number: ok",
    "socket in /run: ENOENT",
    "pipe: ENXIO",
    "lock of the host's: ok",
    "queue: ENOENT",
    "log takes 5000 messages: ok",
    "host port: ECONNREFUSED",
    "same port: ok",
    "bind: ok",
    "outside: ENETUNREACH",
    "addrconfig: ok",
    "address 127.0.0.1: lo up",
    /* no mounts, but in a namespace of its own; the kernel's switches are out of reach */
    "mount: EPERM",
    "mount bind: EPERM",
    "own namespace: ok",
    "own mount: ok",
    "remount: EPERM",
    "uncover: EINVAL",
    "own proc sys: EROFS",
    "proc sys: EROFS",
    "sysrq: EROFS",
    "mem: ENOENT",
    "disk: EPERM",
    /* all file systems can be written to */
    "/etc/immure-world-test: ok",
    "/usr/immure-world-test: ok",
    "/run/immure-world-test: ok",
    "/tmp/immure-world-test: ok",
    "kept: ok",
    "rename: ok",
    "rename directory: ok",
    "chown: ok",
    "chmod: ok",
    "unlink: ok",
    "mkdir: ok",
    "hard link: ok",
    "passwd: ok",
    "bin: ok",
};

/* Rights over the host itself. */
static const int rights[] = {CAP_SYS_TIME, CAP_SYS_BOOT,  CAP_SYS_MODULE, CAP_SYS_RAWIO,
			     CAP_MKNOD,	   CAP_SYS_ADMIN, CAP_SYS_PTRACE};

static char *dir;

static bool has_line(const char *out, const char *line)
{
	CLEANUP_STR char *want = xasprintf("\n%s\n", line);
	CLEANUP_STR char *all = xasprintf("\n%s", out);
	return strstr(all, want);
}

static void check_line(const char *out, const char *line)
{
	bool there = has_line(out, line);

	if (!there) {
		const char *colon = strchr(line, ':');
		CLEANUP_STR char *key = xstrndup(line, (size_t)(colon - line) + 1);
		const char *got = strstr(out, key);
		printf("# expected \"%s\", got \"%.*s\"\n", line, got ? (int)strcspn(got, "\n") : 0,
		       got ? got : "");
	}
	CHECK(there);
}

static void put_text(const char *path, const char *text)
{
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	CHECK(fd >= 0 && write(fd, text, strlen(text)) > 0);
}

static void put(const char *name)
{
	CLEANUP_STR char *path = xasprintf("%s/%s", dir, name);
	put_text(path, name);
}

static int serve_unix(const char *path, size_t len)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(un.sun_path, path, len);
	CHECK_INT(bind(s, (struct sockaddr *)&un,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
		  0);
	CHECK_INT(listen(s, 1), 0);
	return s;
}

/* A process that binds in a root of its own; it ends with us. */
static void serve_rooted(const char *root)
{
	int ready[2];
	char byte;

	CHECK_INT(pipe2(ready, O_CLOEXEC), 0);
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (chroot(root) < 0 || chdir("/") < 0)
			_exit(1);
		serve_unix("/rooted", 8);
		close(ready[1]);
		pause();
	}
	close(ready[1]);
	CHECK_INT(read(ready[0], &byte, 1), 0);
	close(ready[0]);
}

/* What live daemons leave in /run. */
#define LEFT "/run/immure-test-world"

static void leave_in_run(void)
{
	char pid[16];

	snprintf(pid, sizeof(pid), " %d\n", getpid());
	CHECK(mkdir(LEFT, 0755) == 0 && mkdir(LEFT "/deep", 0755) == 0);
	put_text(LEFT "/live.pid", pid);
	put_text(LEFT "/dead.pid", "99999999\n");
	put_text(LEFT "/lock", pid);
	put_text(LEFT "/number", "99999999\n");
	serve_unix(LEFT "/deep/sock", sizeof(LEFT "/deep/sock"));
}

static int serve_tcp(int *ret_port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(in);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(bind(s, (struct sockaddr *)&in, len) == 0 && listen(s, 1) == 0);
	CHECK_INT(getsockname(s, (struct sockaddr *)&in, &len), 0);
	*ret_port = ntohs(in.sin_port);
	return s;
}

/* Each address of the host stands on the world's lo; groups can be joined where it joins them. */
static void check_addresses(const char *out)
{
	static const char *const groups[] = {"join: ok", "send to group: ok", "hear group: ok"};
	struct ifaddrs *all = NULL;
	bool multicast = false;
	char text[INET6_ADDRSTRLEN];

	CHECK_INT(getifaddrs(&all), 0);
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		const struct sockaddr_in *in = (const void *)i->ifa_addr;
		const struct sockaddr_in6 *in6 = (const void *)i->ifa_addr;
		bool v6 = in && in->sin_family == AF_INET6;
		if (!in || (in->sin_family != AF_INET && !v6) || i->ifa_flags & IFF_LOOPBACK ||
		    (v6 && IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr)))
			continue;
		multicast |= i->ifa_flags & IFF_MULTICAST && i->ifa_flags & IFF_UP;
		inet_ntop(in->sin_family, v6 ? (const void *)&in6->sin6_addr : &in->sin_addr, text,
			  sizeof(text));
		CLEANUP_STR char *line = xasprintf("address %s: lo up", text);
		check_line(out, line);
	}
	freeifaddrs(all);
	for (size_t i = 0; multicast && i < ARRAY_LEN(groups); i++)
		check_line(out, groups[i]);
}

static char *mounts_of_host(void)
{
	CLEANUP_FD int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	char *text = NULL;

	CHECK(fd >= 0 && fd_read_all(fd, 1 << 20, &text, NULL) == 0);
	return text;
}

/* What the host looked like, before and after. */
struct face {
	char *dir, *mounts;
	struct utsname name;
};

static struct face face_now(void)
{
	struct face f = {rig_listing(dir), mounts_of_host(), {{0}}};
	uname(&f.name);
	return f;
}

static void check_untouched(const struct face *a, const struct face *b)
{
	static const char *const none[] = {
	    "/etc/immure-world-test", "/usr/immure-world-test",	       "/run/immure-world-test",
	    "/tmp/immure-world-test", "/etc/passwd.immure-world-test", "/tmp/immure-world-disk"};

	CHECK_STR(b->dir, a->dir);
	/* Others may mount something meanwhile, but not in our directories. */
	CHECK(!strstr(b->mounts, "/var/tmp/im-"));
	CHECK(strstr(a->mounts, " /mnt ") || !strstr(b->mounts, " /mnt "));
	CHECK_STR(b->name.nodename, a->name.nodename);
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		CHECK(access(none[i], F_OK) < 0 && errno == ENOENT);
	CHECK(access("/usr/bin/env", X_OK) == 0 && access("/etc/passwd", R_OK) == 0);
}

static void face_done(struct face *f)
{
	free(f->dir);
	free(f->mounts);
}

static void run(const char *program, int port)
{
	const char *argv[3 + ARRAY_LEN(rights) + 1] = {program, dir};
	struct rig_result r = RIG_RESULT_INIT;
	struct face before = face_now();
	char numbers[1 + ARRAY_LEN(rights)][16];

	snprintf(numbers[0], sizeof(numbers[0]), "%d", port);
	argv[2] = numbers[0];
	for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
		snprintf(numbers[i + 1], sizeof(numbers[0]), "%d", rights[i]);
		argv[3 + i] = numbers[i + 1];
	}
	const struct rig rig = {.kind = RIG_PLAIN, .argv = argv, .seconds = 30};
	CHECK_INT(rig_run(&rig, &r), 0);
	struct face after = face_now();
	check_untouched(&before, &after);
	CHECK(!r.killed && WIFEXITED(r.status) && WEXITSTATUS(r.status) == 0);
	const char *out = r.out ? r.out : "";
	for (size_t i = 0; i < ARRAY_LEN(expected); i++)
		/* not every kernel has it */
		if (!str_after(expected[i], "sysrq:") || access("/proc/sysrq-trigger", F_OK) == 0)
			check_line(out, expected[i]);
	for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
		CLEANUP_STR char *line = xasprintf("capability %d: 0", rights[i]);
		check_line(out, line);
	}
	CLEANUP_STR char *name = xasprintf("hostname: %s", before.name.nodename);
	check_line(out, name);
	check_addresses(out);
	if (check_failed)
		printf("%s", out);
	face_done(&before);
	face_done(&after);
	rig_done(&r);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	rig_need_root();
	if (argc < 2)
		return 2;
	CLEANUP_STR char *program = realpath(argv[1], NULL);
	int port, segment = shmget(0x1337beef, 4096, IPC_CREAT | 0600);
	dir = rig_dir();
	put("kept");
	put("owned");
	put("gone");
	CLEANUP_STR char *sub = xasprintf("%s/dir", dir);
	CLEANUP_STR char *live = xasprintf("%s/live", dir);
	CHECK_INT(mkdir(sub, 0755), 0);
	CLEANUP_STR char *root = xasprintf("%s/root", dir);
	CLEANUP_STR char *pipe = xasprintf("%s/pipe", dir);
	CLEANUP_STR char *kept = xasprintf("%s/kept", dir);
	CHECK_INT(mkdir(root, 0755), 0);
	serve_rooted(root);
	CHECK_INT(mkfifo(pipe, 0600), 0);
	CLEANUP_FD int reader = open(pipe, O_RDWR | O_CLOEXEC);
	CHECK(reader >= 0);
	CLEANUP_FD int lock = open(kept, O_RDONLY | O_CLOEXEC);
	CHECK_INT(flock(lock, LOCK_EX), 0);
	leave_in_run();
	CHECK_INT(chdir(dir), 0);
	const int servers[] = {serve_unix("relative", 9), serve_unix(live, strlen(live) + 1),
			       serve_unix("\0immure-world-test", 18), serve_tcp(&port)};
	run(program, port);
	for (size_t i = 0; i < ARRAY_LEN(servers); i++)
		close(servers[i]);
	shmctl(segment, IPC_RMID, NULL);
	CHECK(access(LEFT "/deep/sock", F_OK) == 0 && access(LEFT "/live.pid", F_OK) == 0);
	CHECK_INT(chdir("/"), 0);
	rig_remove(dir);
	rig_remove(LEFT);
	free(dir);
	return check_done("world");
}
