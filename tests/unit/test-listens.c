/* SPDX-License-Identifier: MIT */
/* listen(2) in the place of another process: on real sockets of a child, with tricks. */
#include "confine/listens.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "check.h"
#include "confine/landlock.h"

static uint16_t port_of(int fd)
{
	struct sockaddr_in a = {0};
	socklen_t len = sizeof(a);

	return getsockname(fd, (struct sockaddr *)&a, &len) < 0 ? 0 : ntohs(a.sin_port);
}

static int tcp(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* Bound to a free port of loopback. */
static int bound(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = tcp();

	CHECK_INT(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* What failed to connect: its port was given back, but its name may still tell one. */
static int refused(void)
{
	int taken = bound(), fd = tcp();
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				.sin_port = htons(port_of(taken))};

	CHECK(connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 && errno == ECONNREFUSED);
	close(taken);
	return fd;
}

static bool is_listening(int fd)
{
	int on = 0;
	socklen_t len = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 && on;
}

/* A child that has all our descriptors and waits: its files are its own. */
static pid_t child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	return pid;
}

static int ask(const struct listens *l, pid_t pid, int fd)
{
	const struct seccomp_notif n = {.pid = (uint32_t)pid, .data.args = {(uint64_t)fd, 5}};
	CLEANUP_FD int taken = listens_take(&n);

	return taken < 0 ? taken : listens_on(l, taken, 5);
}

static void test_sockets(void)
{
	int own = bound(), other = bound(), never = tcp(), failed = refused();
	int handed = bound(), local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	const uint16_t ports[] = {0, port_of(own)};
	const struct listens l = {.arch = 1, .call = 50, .ports = ports, .n = 2};

	CHECK_INT(bind(local, (struct sockaddr *)&name, sizeof(sa_family_t)), 0);
	CHECK_INT(listen(handed, 1), 0);
	pid_t pid = child();
	CHECK_INT(ask(&l, pid, own), 0);
	CHECK(is_listening(own));
	CHECK_INT(ask(&l, pid, never), -EACCES);
	CHECK_INT(ask(&l, pid, other), -EACCES);
	CHECK_INT(ask(&l, pid, failed), -EACCES);
	CHECK(!is_listening(never) && !is_listening(other) && !is_listening(failed));
	CHECK_INT(ask(&l, pid, handed), 0);
	CHECK_INT(ask(&l, pid, local), -EACCES);
	CHECK(is_listening(handed) && !is_listening(local));
	CHECK_INT(ask(&l, pid, 0), -ENOTSOCK);
	CHECK_INT(ask(&l, pid, 9999), -EBADF);

	/* A stale name that happens to be one of the policy's ports. */
	const uint16_t stale[] = {port_of(failed)};
	const struct listens lucky = {.arch = 1, .call = 50, .ports = stale, .n = 1};
	if (stale[0]) {
		int r = ask(&lucky, pid, failed);
		CHECK(r == -EACCES || port_of(failed) == stale[0]);
		CHECK(r == 0 || !is_listening(failed));
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK(ask(&l, pid, own) < 0);
}

static void test_calls(void)
{
	const struct landlock any = {.bind_any = true},
			      some = {.listen_arch = 7, .listen_call = 50};
	const struct seccomp_data its = {.arch = 7, .nr = 50}, foreign = {.arch = 8, .nr = 50},
				  another = {.arch = 7, .nr = 49};
	struct listens l = listens_of(&some);

	CHECK(listens_has(&l, &its) && !listens_has(&l, &foreign) && !listens_has(&l, &another));
	l = listens_of(&any);
	CHECK(!listens_has(&l, &its));
	l = listens_of(NULL);
	CHECK(!listens_has(&l, &its));
}

int main(void)
{
	test_calls();
	test_sockets();
	return check_done("listens");
}
