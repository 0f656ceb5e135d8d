/* SPDX-License-Identifier: MIT */
/* The scenes: situations rather than calls. Each runs in a process of its own, in the directory of
 * its name, and prints what it sees. */
#include "marked.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void print_bytes(const char *what, int fd)
{
	char buf[64] = "";
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	if (n < 0)
		dprintf(1, "%s: %s\n", what, strerrorname_np(errno));
	else
		dprintf(1, "%s: %s%s\n", what, buf, n && !buf[0] ? "(zeros)" : "");
	if (fd >= 0)
		close(fd);
}

void cat(const char *path)
{
	print_bytes(path, open(path, O_RDONLY));
}

static void told(const char *what, long r)
{
	dprintf(1, "%s: %s\n", what, r < 0 ? strerrorname_np(errno) : "ok");
}

static void cwd(const char *name)
{
	(void)name;
	told("chdir", chdir("one"));
	cat("a");
	int two = open("../two", O_PATH | O_DIRECTORY);
	told("fchdir", fchdir(two));
	cat("b");
	cat("../three/c");
	cat("./.././two/..//three///d");
	cat("../none/c");
	print_bytes("e", openat(two, "../three/e", O_RDONLY));
}

static void in_root(const char *name)
{
	struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_IN_ROOT};
	int root = open("root", O_PATH | O_DIRECTORY);

	(void)name;
	print_bytes("/a", (int)syscall(SYS_openat2, root, "/a", &how, sizeof(how)));
	print_bytes("link", (int)syscall(SYS_openat2, root, "link", &how, sizeof(how)));
	print_bytes("../c", (int)syscall(SYS_openat2, root, "../../c", &how, sizeof(how)));
}

static void links(const char *name)
{
	char buf[64] = "";

	(void)name;
	cat("l1/up");
	cat("dangling");
	cat("loop");
	told("readlink", readlink("l3", buf, sizeof(buf) - 1));
	dprintf(1, "%s\n", buf);
	told("O_NOFOLLOW", open("l3", O_RDONLY | O_NOFOLLOW));
	/* made where a dangling link leads */
	told("O_CREAT", open("dangling", O_RDONLY | O_CREAT, 0644));
	told("O_EXCL", open("l3", O_RDWR | O_CREAT | O_EXCL, 0644));
}

static void other_cwd(const char *name)
{
	(void)name;
	told("chdir", chdir("other"));
	cat("/proc/self/cwd/a"); /* the same words, another file */
}

static void proc(const char *name)
{
	char path[256], here[200], exe[256] = "";
	int fds = open("fds", O_PATH | O_DIRECTORY);

	cat("/proc/self/cwd/a");
	apart(name, other_cwd);
	snprintf(path, sizeof(path), "/proc/self/root%s/b", getcwd(here, sizeof(here)));
	print_bytes("root", open(path, O_RDONLY));
	snprintf(path, sizeof(path), "/proc/self/fd/%d/c", fds);
	print_bytes("fd", open(path, O_RDONLY));
	snprintf(path, sizeof(path), "/dev/fd/%d/d", fds);
	print_bytes("dev", open(path, O_RDONLY));
	cat("/proc/thread-self/cwd/e");
	told("exe", readlink("/proc/self/exe", exe, sizeof(exe) - 1));
	dprintf(1, "%s\n", strrchr(exe, '/') ? strrchr(exe, '/') + 1 : exe);
	told("/dev/stdout", open("/dev/stdout", O_WRONLY | O_APPEND));
	told("fd/1", open("/proc/self/fd/1", O_WRONLY | O_CREAT | O_APPEND, 0644));
}

static void chrooted(const char *name)
{
	(void)name;
	int out = open(".", O_PATH | O_DIRECTORY);
	told("chroot", chroot("root"));
	cat("/inside");
	cat("/abs");
	cat("before"); /* the cwd stands outside still */
	told("chdir", chdir("/"));
	cat("../../../up");
	cat("/nowhere");
	print_bytes("outside", openat(out, "outside", O_RDONLY));
}

struct one_thread {
	pthread_t id;
	int n;
	char text[64];
};

static void *in_thread(void *arg)
{
	struct one_thread *t = arg;
	char path[32];

	snprintf(path, sizeof(path), "cwd%d", t->n);
	if (unshare(CLONE_FS) < 0 || chdir(path) < 0)
		return NULL;
	for (int i = 0; i < 200; i++) {
		int fd = open("t", O_RDONLY);
		ssize_t n = fd < 0 ? -1 : read(fd, t->text, sizeof(t->text) - 1);
		t->text[n < 0 ? 0 : n] = '\0';
		close(fd);
	}
	return NULL;
}

static void threads(const char *name)
{
	struct one_thread t[8] = {0};

	for (int i = 0; i < 8; i++) {
		t[i].n = i;
		pthread_create(&t[i].id, NULL, in_thread, &t[i]);
	}
	for (int i = 0; i < 8; i++) {
		pthread_join(t[i].id, NULL);
		dprintf(1, "%s %d: %s\n", name, i, t[i].text);
	}
}

extern char **environ;

static void vforked(const char *name)
{
	char *argv[] = {strdup("script"), NULL};
	int status = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		execve("script", argv, environ);
		_exit(126);
	}
	waitpid(pid, &status, 0);
	dprintf(1, "%s: %#x\n", name, status);
}

static void daemonized(const char *name)
{
	int pipes[2], status;
	char byte;

	(void)name;
	if (pipe(pipes) < 0)
		return;
	pid_t pid = fork();
	if (pid == 0) {
		setsid();
		if (fork())
			_exit(0);
		close(pipes[0]);
		usleep(20000); /* the parent is gone */
		cat("file");
		_exit(0);
	}
	waitpid(pid, &status, 0);
	close(pipes[1]);
	dprintf(1, "end: %zd\n", read(pipes[0], &byte, 1));
}

static void fexec(const char *name)
{
	char *argv[] = {strdup("tool"), strdup("say"), NULL};

	(void)name;
	told("execveat",
	     execveat(open("tool", O_PATH | O_CLOEXEC), "", argv, environ, AT_EMPTY_PATH));
}

static void script(const char *name)
{
	char *argv[] = {strdup("a"), strdup("last"), NULL};

	(void)name;
	told("execve", execve("./a", argv, environ));
}

static struct sockaddr_un address(const char *path, socklen_t *len)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t n = strlen(path);

	memcpy(un.sun_path + !n, n ? path : "immure-test", n ? n : 11);
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (n ? n + 1 : 12));
	return un;
}

/* @path "": an abstract one. */
static void serve_unix(const char *path, int type)
{
	socklen_t len;
	struct sockaddr_un un = address(path, &len);
	int s = socket(AF_UNIX, type, 0), c = socket(AF_UNIX, type, 0);

	told("bind", bind(s, (struct sockaddr *)&un, len));
	if (type == SOCK_STREAM)
		listen(s, 1);
	if (type == SOCK_STREAM)
		told("connect", connect(c, (struct sockaddr *)&un, len));
	else
		told("sendto", sendto(c, "x", 1, 0, (struct sockaddr *)&un, len));
}

static void sockets(const char *name)
{
	struct stat st;

	(void)name;
	told("chdir", chdir("sub"));
	serve_unix("relative", SOCK_STREAM);
	serve_unix("../dgram", SOCK_DGRAM);
	serve_unix("", SOCK_STREAM);
	told("stat", stat("relative", &st));
	told("unlink", unlink("relative"));
}

static void devices(const char *name)
{
	static const char *const absent[] = {"/dev/mem", "/dev/kmsg", "/dev/sda", "/dev/vda",
					     "/dev/loop0"};
	struct stat st;
	int null = open("/dev/null", O_RDWR);

	(void)name;
	told("null", write(null, "x", 1));
	print_bytes("null", null);
	print_bytes("zero", open("/dev/zero", O_RDONLY));
	told("full", write(open("/dev/full", O_WRONLY), "x", 1));
	told("urandom", open("/dev/urandom", O_RDONLY));
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		told(absent[i], stat(absent[i], &st));
	print_bytes("own null", open("null", O_RDONLY)); /* in a chroot of the service's own */
}

static void pty(const char *name)
{
	char *slave, buf[16] = "";
	int m = posix_openpt(O_RDWR | O_NOCTTY);

	(void)name;
	told("unlockpt", grantpt(m) || unlockpt(m) ? -1 : 0);
	slave = ptsname(m);
	int s = slave ? open(slave, O_RDWR | O_NOCTTY) : -1;
	told("slave", write(s, "hello\n", 6));
	dprintf(1, "%s\n", read(m, buf, sizeof(buf) - 1) > 0 ? "read" : "nothing");
	dprintf(1, "tty %d\n", isatty(s));
}

static void abi(const char *name)
{
	(void)name;
#ifdef __x86_64__
	static const char file[] = "file";
	char *low = sbrk(0); /* any address will do for a call that is refused */
	(void)low;
	long r = syscall(0x40000000 | SYS_open, file, O_RDONLY);
	told("x32 open", r);
	r = syscall(0x40000000 | SYS_getpid);
	told("x32 getpid", r);
#endif
}

static void set_uid(const char *name)
{
	char *argv[] = {strdup("suid"), strdup("say"), NULL};

	(void)name;
	if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
		_exit(1);
	told("execve", execve("./suid", argv, environ));
}

/* A file capability instead of set-uid: CAP_SYS_NICE lets a nobody raise a priority. */
static void caps(const char *name)
{
	char *argv[] = {strdup("capable"), strdup("-n"), strdup("-5"), strdup("nice"), NULL};

	(void)name;
	if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
		_exit(1);
	told("execve", execve("./capable", argv, environ));
}

static void own_filter(const char *name)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdirat, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {.len = 4, .filter = code};

	(void)name;
	told("no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	told("filter", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));
	told("mkdirat", mkdirat(AT_FDCWD, "made", 0755));
	cat("file");
}

static volatile int ticks;

static void on_alarm(int sig)
{
	(void)sig;
	ticks++;
}

/* Signals while calls wait for the supervisor: with and without SA_RESTART nothing is lost. */
static void signals(const char *name)
{
	struct itimerval often = {{0, 500}, {0, 500}};
	struct sigaction sa = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	struct stat st;
	char path[32];
	int good = 0;

	(void)name;
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), "f%03d", i);
		good += stat(path, &st) == 0 && st.st_size == 4;
	}
	dprintf(1, "good: %d\n", good);
}

static volatile int big_done;

static void *read_big(void *arg)
{
	unsigned *sum = arg;
	unsigned char buf[65536];
	ssize_t n;
	int fd = open("big", O_RDONLY);

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			*sum = *sum * 31 + buf[i];
	big_done = 1;
	return NULL;
}

static void big(const char *name)
{
	unsigned sums[2] = {1, 1};
	pthread_t id[2];
	struct stat st;
	int good = 0;

	(void)name;
	for (int i = 0; i < 2; i++)
		pthread_create(&id[i], NULL, read_big, &sums[i]);
	for (int i = 0; i < 1000 || !big_done; i++) {
		char path[32];
		snprintf(path, sizeof(path), "f%03d", i % 100);
		good += i < 1000 && stat(path, &st) == 0;
	}
	for (int i = 0; i < 2; i++)
		pthread_join(id[i], NULL);
	dprintf(1, "sums: %u %u, good: %d\n", sums[0], sums[1], good);
}

void scenes_of_files(void);

void scene(const char *name, void (*fn)(const char *name));

void scene(const char *name, void (*fn)(const char *name))
{
	dprintf(1, "[%s]\n", name);
	if (chdir(name) < 0)
		dprintf(1, "%s: %m\n", name);
	apart(name, fn);
	if (chdir("..") < 0)
		exit(1);
}

void scenes(void)
{
	static const struct {
		const char *name;
		void (*fn)(const char *name);
	} all[] = {
	    {"cwd", cwd},
	    {"in_root", in_root},
	    {"links", links},
	    {"proc", proc},
	    {"chrooted", chrooted},
	    {"threads", threads},
	    {"vforked", vforked},
	    {"daemonized", daemonized},
	    {"fexec", fexec},
	    {"script", script},
	    {"sockets", sockets},
	    {"devices", devices},
	    {"pty", pty},
	    {"abi", abi},
	    {"set_uid", set_uid},
	    {"caps", caps},
	    {"own_filter", own_filter},
	    {"signals", signals},
	    {"big", big},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		scene(all[i].name, all[i].fn);
	scenes_of_files();
}
