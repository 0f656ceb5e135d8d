/* SPDX-License-Identifier: MIT */
/* usage: worldly DIR PORT NUMBER...
 *
 * Runs in a world and prints, "WHAT: ANSWER" a line, what it can see and do there. DIR holds files
 * of the host's and a live socket; PORT is one on which the host listens on 127.0.0.1; NUMBER are
 * capabilities that it should not have. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

static void told(const char *what, long r)
{
	printf("%s: %s\n", what, r < 0 ? strerrorname_np(errno) : "ok");
}

static void told_open(const char *what, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	told(what, fd);
	if (fd >= 0)
		close(fd);
}

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	told(path, fd < 0 ? -1 : write(fd, text, strlen(text)));
	if (fd >= 0)
		close(fd);
}

/* All of this would be a disaster outside. */
static void change_files(void)
{
	write_to("/etc/immure-world-test", "x");
	write_to("/usr/immure-world-test", "x");
	write_to("/run/immure-world-test", "x");
	write_to("/tmp/immure-world-test", "x");
	write_to("kept", "more");
	told("rename", rename("kept", "moved"));
	told("rename directory", rename("dir", "dir2"));
	told("chown", chown("owned", 7, 7));
	told("chmod", chmod("owned", 0));
	told("unlink", unlink("gone"));
	told("mkdir", mkdir("new", 0755));
	told("hard link", link("owned", "again"));
	told("passwd", rename("/etc/passwd", "/etc/passwd.immure-world-test"));
	told("bin", rename("/usr/bin", "/usr/bin.immure-world-test"));
	rename("/usr/bin.immure-world-test", "/usr/bin");
}

static void change_mounts(void)
{
	told("mount", mount("tmpfs", "/mnt", "tmpfs", 0, NULL));
	told("mount bind", mount("/etc", "/mnt", NULL, MS_BIND, NULL));
	told("sys", open("/sys/kernel/uevent_helper", O_WRONLY | O_CLOEXEC));
	told_open("proc sys", "/proc/sys/kernel/core_pattern", O_WRONLY);
	told_open("sysrq", "/proc/sysrq-trigger", O_WRONLY);
	told_open("mem", "/dev/mem", O_RDONLY);
	told("disk", mknod("/tmp/immure-world-disk", S_IFBLK | 0600, makedev(254, 0)));
}

/* Everybody may have mounts in a user namespace of his own, where they stay. */
static void own_mounts(void)
{
	told("own namespace", unshare(CLONE_NEWUSER | CLONE_NEWNS));
	told("own mount", mount("tmpfs", "/mnt", "tmpfs", 0, NULL));
	told("remount", mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL));
	told("uncover", umount2("/proc/sys", MNT_DETACH));
	told_open("own proc sys", "/proc/sys/kernel/core_pattern", O_WRONLY);
}

static void connect_to(const char *what, const char *path, size_t len)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(un.sun_path, path, len);
	told(what, connect(s, (struct sockaddr *)&un,
			   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)));
	close(s);
}

/* What the host's processes have left in its file systems. */
/* Nobody reads them, and nobody waits. */
static void log_much(void)
{
	const struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r = connect(fd, (const struct sockaddr *)&a, sizeof(a));

	for (int i = 0; r >= 0 && i < 5000; i++)
		r = (int)send(fd, "<13>worldly: x", 14, 0);
	told("log takes 5000 messages", r);
	close(fd);
}

static void meet_leftovers(void)
{
	connect_to("live socket", "live", 5);
	connect_to("its relative name", "relative", 9);
	connect_to("its name in a root of its own", "root/rooted", 12);
	connect_to("abstract", "\0immure-world-test", 18);
	told("pid file", access("/run/immure-test-world/live.pid", F_OK));
	told("pid of the dead", access("/run/immure-test-world/dead.pid", F_OK));
	told("a process's number", access("/run/immure-test-world/lock", F_OK));
	told("another number", access("/run/immure-test-world/number", F_OK));
	told("socket in /run", access("/run/immure-test-world/deep/sock", F_OK));
	told_open("pipe", "pipe", O_WRONLY | O_NONBLOCK);
	told("lock of the host's", flock(open("kept", O_RDONLY | O_CLOEXEC), LOCK_EX | LOCK_NB));
	log_much();
	told("queue", open("/dev/mqueue/immure-world-test", O_RDONLY | O_CLOEXEC));
}

/* What is sent to a group is heard in the world. */
static void use_groups(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons(9),
				 .sin_addr.s_addr = inet_addr("239.255.7.7")};
	struct ip_mreq group = {.imr_multiaddr = in.sin_addr};
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	char byte;

	told("join", setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)));
	bind(s, (struct sockaddr *)&in, sizeof(in));
	told("send to group", sendto(s, "x", 1, 0, (struct sockaddr *)&in, sizeof(in)));
	told("hear group", recv(s, &byte, 1, 0));
	close(s);
}

static void use_sockets(int port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "made"};
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int u = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	told("host port", connect(s, (struct sockaddr *)&in, sizeof(in)));
	close(s);
	s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	told("same port", bind(s, (struct sockaddr *)&in, sizeof(in)));
	told("bind", bind(u, (struct sockaddr *)&un, sizeof(un)));
	in.sin_addr.s_addr = inet_addr("192.0.2.1");
	told("outside", connect(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
				(struct sockaddr *)&in, sizeof(in)));
}

static void show_addresses(void)
{
	char text[INET6_ADDRSTRLEN];
	struct ifaddrs *all = NULL;

	if (getifaddrs(&all) < 0)
		return;
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		const struct sockaddr_in *in = (const void *)i->ifa_addr;
		const struct sockaddr_in6 *in6 = (const void *)i->ifa_addr;
		if (!i->ifa_addr || (in->sin_family != AF_INET && in->sin_family != AF_INET6))
			continue;
		inet_ntop(in->sin_family,
			  in->sin_family == AF_INET ? (const void *)&in->sin_addr : &in6->sin6_addr,
			  text, sizeof(text));
		printf("address %s: %s %s\n", text, i->ifa_name,
		       i->ifa_flags & IFF_UP ? "up" : "down");
	}
	freeifaddrs(all);
}

static void look_up(void)
{
	const struct addrinfo hints = {.ai_flags = AI_ADDRCONFIG, .ai_socktype = SOCK_STREAM};
	struct addrinfo *ai = NULL;
	int r = getaddrinfo("127.0.0.1", "80", &hints, &ai);

	printf("addrconfig: %s\n", r ? gai_strerror(r) : "ok");
	if (!r)
		freeaddrinfo(ai);
}

static void list(const char *dir)
{
	struct dirent **names;
	int n = scandir(dir, &names, NULL, alphasort);

	printf("%s:", dir);
	for (int i = 0; i < n; i++)
		if (names[i]->d_name[0] != '.')
			printf(" %s", names[i]->d_name);
	printf("\n");
}

static void see(void)
{
	struct utsname un;
	DIR *proc = opendir("/proc");
	int pids = 0;

	list("/dev");
	list("/dev/pts");
	list("/dev/shm");
	uname(&un);
	printf("hostname: %s\n", un.nodename);
	told("sethostname", sethostname("immure-world-test", 17));
	for (struct dirent *de; proc && (de = readdir(proc));)
		pids += de->d_name[0] >= '1' && de->d_name[0] <= '9';
	printf("processes: %d\n", pids);
	printf("pid: %d\n", getpid() < 10);
	told("host segment", shmget(0x1337beef, 4096, 0));
	told("own segment", shmget(0x1337bee0, 4096, IPC_CREAT | 0600));
}

int main(int argc, char **argv)
{
	if (argc < 3 || chdir(argv[1]) < 0)
		return 2;
	see();
	meet_leftovers();
	use_sockets(atoi(argv[2]));
	use_groups();
	show_addresses();
	look_up();
	for (int i = 3; i < argc; i++)
		printf("capability %s: %d\n", argv[i],
		       prctl(PR_CAPBSET_READ, atoi(argv[i]), 0, 0, 0));
	change_mounts();
	change_files();
	own_mounts();
	return 0;
}
