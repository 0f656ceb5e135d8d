/* SPDX-License-Identifier: MIT */
#include "jail/probe.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "jail/unreached.h"

#include "check.h"

static void test_addresses(void)
{
	static const struct {
		const char *listener, *want; /* NULL: none */
	} rows[] = {
	    {"tcp:127.0.0.1:80", "127.0.0.1"},
	    {"tcp:192.0.2.2:80", "192.0.2.2"},
	    {"tcp:0.0.0.0:80", "127.0.0.1"},
	    {"tcp:[::]:80", "::1"},
	    {"tcp:[2001:db8::2]:80", "2001:db8::2"},
	    {"tcp:[::ffff:192.0.2.2]:80", "::ffff:192.0.2.2"},
	    {"tcp:[fe80::1]:80", NULL}, /* of which link? */
	    {"udp:0.0.0.0:80", NULL},
	    {"tcp:127.0.0.1", NULL},
	    {"tcp:127.0.0.1:80x", NULL},
	    {"tcp:1.2.3:80", NULL},
	    {"tcp:[::80", NULL},
	    {"tcp:", NULL},
	    {"", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[INET6_ADDRSTRLEN] = "";
		struct sockaddr_storage sa;
		socklen_t len = probe_address(rows[i].listener, &sa);
		CHECK_INT(len > 0, rows[i].want != NULL);
		if (!len)
			continue;
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)&sa;
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&sa;
		const void *address = sa.ss_family == AF_INET ? (const void *)&v4->sin_addr
							      : (const void *)&v6->sin6_addr;
		inet_ntop(sa.ss_family, address, text, sizeof(text));
		CHECK_STR(text, rows[i].want);
		CHECK_INT(ntohs(v4->sin_port), 80);
	}
}

static void test_unix(void)
{
	char listener[200] = "unix:/run/x.sock";
	struct sockaddr_storage sa;

	CHECK(probe_address(listener, &sa) > 0);
	CHECK_STR(((const struct sockaddr_un *)&sa)->sun_path, "/run/x.sock");
	CHECK_INT(probe_address("unix:run/x.sock", &sa), 0);
	memset(listener + 6, 'x', 107);
	listener[6 + 107] = '\0'; /* no room for the end */
	CHECK_INT(probe_address(listener, &sa), 0);
	listener[6 + 106] = '\0';
	CHECK(probe_address(listener, &sa) > 0);
}

static void test_signals(void)
{
	static const char text[] =
	    "Name:\tx\nSigIgn:\t0000000000000001\nSigCgt:\t0000000000000201\n";

	CHECK(probe_catches(text, SIGHUP));
	CHECK(probe_catches(text, SIGUSR1));
	CHECK(!probe_catches(text, SIGINT));
	CHECK(!probe_catches("Name:\tSigCgt:\t1\n", SIGHUP));
	CHECK(!probe_catches("", SIGHUP));
}

static void ignore(int sig)
{
	(void)sig;
}

/* What a probe consists of for a service that catches both signals: log files last. */
static void test_steps(void)
{
	static const char *const want[] = {
	    "connect to tcp:127.0.0.1:80",
	    "nothing is sent to udp:0.0.0.0:53",
	    "connect to unix:/run/x",
	    "reload (SIGHUP)",
	    "connect again to tcp:127.0.0.1:80",
	    "connect again to unix:/run/x",
	    "reopen logs (SIGUSR1)",
	};
	struct strv doors CLEANUP_STRV = STRV_INIT;
	struct probe p = PROBE_INIT;
	struct run r = RUN_INIT;

	strv_split(&doors, "tcp:127.0.0.1:80 udp:0.0.0.0:53 unix:/run/x", " ");
	signal(SIGHUP, ignore);
	signal(SIGUSR1, ignore);
	r.init = r.main = getpid();
	probe_make(&p, &r, &doors);
	CHECK_INT(p.n, ARRAY_LEN(want));
	for (size_t i = 0; i < p.n && i < ARRAY_LEN(want); i++)
		CHECK_STR(p.v[i].text, want[i]);

	/* Made anew, for one that leaves them alone. */
	signal(SIGHUP, SIG_DFL);
	signal(SIGUSR1, SIG_IGN);
	probe_make(&p, &r, &doors);
	CHECK_INT(p.n, 3);
	probe_done(&p);
	CHECK_INT(p.n, 0);
}

static void test_unreached(void)
{
	struct record *rec = record_new();
	char *text = unreached_text(rec);

	CHECK_STR(text, "");
	free(text);
	record_peer(rec, false, AF_INET, "127.0.0.1", 5432);
	record_peer(rec, false, AF_INET, "192.0.2.2", 80);
	record_peer(rec, true, AF_INET, "0.0.0.0", 80); /* its own */
	record_peer(rec, false, AF_INET, "192.0.2.9", 0);
	record_get(rec, "/run/own")->kinds = TOUCH_CONNECT;
	text = unreached_text(rec);
	CHECK_STR(text, "");
	free(text);

	record_peer(rec, false, AF_INET, "10.0.0.5", 5432);
	record_peer(rec, false, AF_INET6, "2001:db8::5", 5432);
	struct touch *t = record_get(rec, "/run/db\033/sock");
	t->kinds = TOUCH_CONNECT;
	t->found = S_IFSOCK;
	text = unreached_text(rec);
	CHECK(strstr(text, "10.0.0.5:5432, [2001:db8::5]:5432"));
	CHECK(strstr(text, "--net host"));
	CHECK(strstr(text, "/run/db?/sock"));
	CHECK(strstr(text, "Socket=/run/db?/sock=bind"));
	free(text);
	record_free(rec);
}

int main(void)
{
	test_addresses();
	test_unix();
	test_signals();
	test_steps();
	test_unreached();
	return check_done("probe");
}
