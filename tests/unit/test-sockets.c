/* SPDX-License-Identifier: MIT */
/* Places that somebody has, and places that nobody has: of both kinds, of both families. */
#include "base/sockets.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "check.h"

/* A socket at @name, whose port is 0, and the name that it got in *ret. */
static int serve(const char *name, char **ret)
{
	struct sockaddr_storage a;
	int type, on = 1;
	socklen_t len = socket_address(name, &a, &type);
	int s = socket(a.ss_family, type | SOCK_CLOEXEC, 0);

	CHECK(len > 0 && s >= 0);
	if (type == SOCK_STREAM) /* as servers do */
		setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a.ss_family == AF_INET6)
		setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	CHECK_INT(bind(s, (struct sockaddr *)&a, len), 0);
	if (type == SOCK_STREAM)
		CHECK_INT(listen(s, 1), 0);
	CHECK_INT(getsockname(s, (struct sockaddr *)&a, &len), 0);
	*ret = socket_name(&a, type);
	return s;
}

static void test_taken(const char *at)
{
	CLEANUP_STR char *name = NULL;
	int s = serve(at, &name);

	CHECK(!socket_is_free(name));
	close(s);
	CHECK(socket_is_free(name));
	CHECK(socket_is_free(name)); /* the question takes nothing */
}

/* Its end of a connection stays in the tables for a minute, and is no server. */
static void test_over(void)
{
	CLEANUP_STR char *name = NULL;
	struct sockaddr_storage a;
	int type, s = serve("tcp:127.0.0.1:0", &name);
	CLEANUP_FD int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = socket_address(name, &a, &type);

	CHECK_INT(connect(client, (struct sockaddr *)&a, len), 0);
	int served = accept(s, NULL, NULL);
	CHECK(served >= 0);
	close(served);
	close(s);
	CHECK(socket_is_free(name));
}

static void test_unknown(void)
{
	static const char *const names[] = {"", "tcp:", "tcp:somewhere:80", "unix:/run/x",
					    "sctp:127.0.0.1:1"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		CHECK(!socket_is_free(names[i]));
	CHECK(socket_is_free("udp:192.0.2.1:18499")); /* an address that is not ours yet */
}

int main(void)
{
	test_taken("tcp:127.0.0.1:0");
	test_taken("tcp:0.0.0.0:0");
	test_taken("udp:127.0.0.1:0");
	test_taken("udp:[::1]:0");
	test_taken("tcp:[::]:0");
	test_over();
	test_unknown();
	return check_done("sockets");
}
