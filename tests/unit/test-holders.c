/* SPDX-License-Identifier: MIT */
/* A child holds files and sockets in all the ways there are; what is told of it, and what is not.
 */
#include "host/holders.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/sockets.h"
#include "fs-scratch.h"

static struct scratch here;
static unsigned tcp_port;

static int put(const char *name, const char *text, int flags)
{
	int fd = openat(here.fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0)
		abort();
	close(fd);
	return openat(here.fd, name, flags | O_CLOEXEC);
}

static void serve_unix(const char *name)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%.60s/%.20s", here.path, name);
	if (bind(s, (struct sockaddr *)&un, sizeof(un)) < 0 || listen(s, 1) < 0)
		abort();
}

static unsigned serve_tcp(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(in);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(s, (struct sockaddr *)&in, len) < 0 || listen(s, 1) < 0 ||
	    getsockname(s, (struct sockaddr *)&in, &len) < 0)
		abort();
	return ntohs(in.sin_port);
}

static void map(const char *name, int prot, int flags)
{
	int fd = put(name, "some data", O_RDWR);

	if (mmap(NULL, 4096, prot, flags, fd, 0) == MAP_FAILED)
		abort();
	close(fd);
}

static void hold(int ready)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "hold\033[1m");
	put("data", "some data", O_RDWR);
	put("data", "some data", O_WRONLY); /* twice, and told once */
	put("append", "x", O_WRONLY | O_APPEND);
	put("reader", "some data", O_RDONLY);
	put("path", "some data", O_PATH);
	put("pid file", " 812\n", O_RDWR);
	put("empty", "", O_RDWR);
	put("deleted", "some data", O_RDWR);
	unlinkat(here.fd, "deleted", 0);
	put("replaced", "some data", O_RDWR);
	unlinkat(here.fd, "replaced", 0);
	put("replaced", "another", O_RDONLY);
	put("x (deleted)", "some data", O_RDWR);
	mkfifoat(here.fd, "fifo", 0600);
	openat(here.fd, "fifo", O_RDWR | O_CLOEXEC);
	map("mapped", PROT_READ | PROT_WRITE, MAP_SHARED);
	map("mapped private", PROT_READ | PROT_WRITE, MAP_PRIVATE);
	map("mapped read-only", PROT_READ, MAP_SHARED);
	serve_unix("sock");
	serve_unix("other sock");
	tcp_port = serve_tcp();
	fd_write_all(ready, &tcp_port, sizeof(tcp_port));
	pause();
	_exit(0);
}

static const struct holder *row_of(const struct holders *h, pid_t pid, const char *name)
{
	CLEANUP_STR char *path = xasprintf("%s/%s", here.path, name);

	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].pid == pid && streq(h->v[i].what, path))
			return &h->v[i];
	return NULL;
}

static void test_writing(pid_t pid)
{
	static const struct {
		const char *name;
		bool lock;
	} want[] = {{"data", false}, {"append", false},	     {"pid file", true},
		    {"empty", true}, {"x (deleted)", false}, {"mapped", false}};
	struct holders h CLEANUP_HOLDERS = HOLDERS_INIT;
	size_t mine = 0;
	int own = put("our own", "some data", O_RDWR);

	CHECK_INT(holders_writing(&h), 0);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const struct holder *row = row_of(&h, pid, want[i].name);
		CHECK(row);
		if (!row)
			printf("# %s is missing\n", want[i].name);
		else
			CHECK_INT(row->lock, want[i].lock);
	}
	for (size_t i = 0; i < h.n; i++) {
		mine += h.v[i].pid == pid && str_after(h.v[i].what, here.path);
		CHECK(h.v[i].pid != getpid());
	}
	CHECK_INT(mine, ARRAY_LEN(want));
	const struct holder *row = row_of(&h, pid, "data");
	if (row) {
		CHECK_STR(row->name, "hold?[1m");
		CHECK(row->program && str_ends(row->program, "/test-holders"));
	}
	close(own);
}

static bool found(const char *listener, pid_t pid)
{
	struct strv want CLEANUP_STRV = STRV_INIT;
	struct holders h CLEANUP_HOLDERS = HOLDERS_INIT;

	strv_add(&want, "tcp:127.0.0.1:1");
	strv_add(&want, listener);
	CHECK_INT(holders_listening(&want, &h), 0);
	for (size_t i = 0; i < h.n; i++)
		if (h.v[i].pid == pid)
			return true;
	return false;
}

static void test_listening(pid_t pid)
{
	static const struct {
		const char *form; /* of the port */
		bool found;
	} rows[] = {
	    {"tcp:127.0.0.1:%u", true},
	    {"tcp:0.0.0.0:%u", true},
	    {"tcp:[::]:%u", true},
	    {"tcp:[::ffff:127.0.0.1]:%u", true},
	    {"tcp:127.0.0.2:%u", false},
	    {"tcp:[::1]:%u", false},
	    {"udp:127.0.0.1:%u", false},
	    {"tcp:127.0.0.1:%u0", false},
	    {"tcp:", false},
	    {"tcp::%u", false},
	    {"tcp:[]:%u", false},
	    {"nonsense %u", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[80];
		snprintf(text, sizeof(text), "%.*s%u%s", (int)strcspn(rows[i].form, "%"),
			 rows[i].form, tcp_port,
			 strchr(rows[i].form, '%') ? strchr(rows[i].form, '%') + 2 : "");
		if (found(text, pid) != rows[i].found)
			printf("# %s\n", text);
		CHECK_INT(found(text, pid), rows[i].found);
	}
	CLEANUP_STR char *sock = xasprintf("unix:%s/other sock", here.path);
	CLEANUP_STR char *none = xasprintf("unix:%s/other", here.path);
	CHECK(found(sock, pid));
	CHECK(!found(none, pid));
}

static void test_lines(void)
{
	static const struct {
		const char *table, *line, *name; /* NULL: no row */
		unsigned long inode;
		bool waits;
	} rows[] = {
	    {"tcp",
	     "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0   "
	     "     0 4711 1 0",
	     "tcp:127.0.0.1:8080", 4711, true},
	    {"tcp",
	     "   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0   "
	     "     0 4712 1 0",
	     NULL, 0, false},
	    {"udp6",
	     " 1: 00000000000000000000000001000000:0035 00000000000000000000000000000000:0000 07 "
	     "00000000:00000000 00:00000000 00000000 0 0 9 2 0",
	     "udp:[::1]:53", 9, true},
	    {"unix", "000000001c6c7c8b: 00000002 00000000 00010000 0001 01 15 /run/a b.sock",
	     "unix:/run/a b.sock", 15, true},
	    {"unix", "000000001c6c7c8b: 00000003 00000000 00000000 0001 03 16 private/smtp",
	     "unix:private/smtp", 16, false},
	    {"unix", "000000001c6c7c8b: 00000002 00000000 00010000 0001 01 17 @hidden", NULL, 0,
	     false},
	    {"unix", "000000001c6c7c8b: 00000003 00000000 00000000 0001 03 18", NULL, 0, false},
	    {"unix", "Num       RefCount Protocol Flags    Type St Inode Path", NULL, 0, false},
	    {"raw", "", NULL, 0, false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct socket_row row = {0};
		CHECK_INT(socket_line_parse(rows[i].table, rows[i].line, &row),
			  rows[i].name != NULL);
		CHECK_STR(row.name, rows[i].name);
		CHECK_INT(row.inode, rows[i].inode);
		CHECK_INT(row.waits, rows[i].waits);
		free(row.name);
	}
}

static void test_text(void)
{
	char name[] = "mariadbd", unit[] = "mariadb.service";
	const struct holder with = {.pid = 812, .name = name, .unit = unit};
	const struct holder without = {.pid = 813, .name = name};
	CLEANUP_STR char *a = holder_text(&with), *b = holder_text(&without);

	CHECK_STR(a, "mariadbd (pid 812, mariadb.service)");
	CHECK_STR(b, "mariadbd (pid 813)");
	free(steal_ptr(b));
}

/* How often the process @pid is among those that run our own program with @argv. */
static size_t running(pid_t pid, char *const *argv)
{
	struct holders h CLEANUP_HOLDERS = HOLDERS_INIT;
	size_t n = 0;

	CHECK_INT(holders_running("/proc/self/exe", argv, &h), 0);
	for (size_t i = 0; i < h.n; i++)
		n += h.v[i].pid == pid;
	return n;
}

static void test_running(pid_t pid, char **argv)
{
	char *more[] = {argv[0], xstrdup("more"), NULL}, *none[] = {NULL};
	struct holders h CLEANUP_HOLDERS = HOLDERS_INIT;

	CHECK_INT(running(pid, argv), 1); /* a fork of ours */
	CHECK_INT(running(getpid(), argv), 0);
	CHECK_INT(running(pid, more), 0);
	CHECK_INT(running(pid, none), 0);
	CHECK_INT(holders_running("/bin/sh", argv, &h), 0);
	CHECK_INT(h.n, 0);
	free(more[1]);
}

int main(int argc, char **argv)
{
	int ready[2];

	(void)argc;
	here = scratch_new();
	if (pipe2(ready, O_CLOEXEC) < 0)
		return 2;
	pid_t pid = fork();
	if (pid == 0)
		hold(ready[1]);
	CHECK_INT(read(ready[0], &tcp_port, sizeof(tcp_port)), sizeof(tcp_port));
	test_lines();
	test_text();
	test_running(pid, argv);
	test_writing(pid);
	test_listening(pid);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	scratch_done(&here);
	return check_done("holders");
}
