/* SPDX-License-Identifier: MIT */
#include "jail/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "confine/rights.h"
#include "fs-scratch.h"
#include "jail/hardening.h"
#include "jail/right-answer.h"

#define BIT(cap) (UINT64_C(1) << (cap))

static struct spec *spec_of(const char *text)
{
	struct spec *s = spec_new("t");
	struct err e = {0};

	CHECK_INT(spec_parse(s, text, strlen(text), "test", &e), 0);
	return s;
}

static void test_words(void)
{
	static const struct {
		const char *word;
		int want;
	} rows[] = {
	    {"CAP_CHOWN", 0},	    {"ptrace()", 0},
	    {"AF_PACKET", 0},	    {"tcp:80", 0},
	    {"tcp:0", 0},	    {"tcp:any", 0},
	    {"connect:tcp:any", 0}, {"exec:/srv/x", 0},
	    {"exec:x", -EINVAL},    {"connect:tcp:25", 0},
	    {"set-id:/bin/su", 0},  {"set-id-modes", 0},
	    {"leases", 0},	    {"protocol:132", 0},
	    {"protocol:", -EINVAL}, {"protocol:x1", -EINVAL},
	    {"32-bit", 0},	    {"CAP_SYS_ADMIN", -EINVAL},
	    {"cap_chown", -EINVAL}, {"kexec_load()", -EINVAL},
	    {"nosuch()", -EINVAL},  {"tcp:65536", -EINVAL},
	    {"tcp:-1", -EINVAL},    {"tcp:", -EINVAL},
	    {"tcp:8x", -EINVAL},    {"set-id:su", -EINVAL},
	    {"", -EINVAL},	    {"()", -EINVAL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = {0};
		CHECK_INT(policy_check_right(rows[i].word, &e), rows[i].want);
		CHECK(!rows[i].want || e.msg[0]);
	}
}

static void test_learn(void)
{
	struct record *a CLEANUP_RECORD = record_new(), *b CLEANUP_RECORD = record_new();
	struct right_list p CLEANUP_RIGHT_LIST = RIGHT_LIST_INIT;

	record_right(a, "tcp:80", "bind", "/d", PHASE_START);
	record_right(b, "tcp:80", "bind", "/d", PHASE_START);
	record_right(b, "CAP_SETUID", "setuid to 33", "/d", PHASE_EXERCISE);
	CHECK(!record_right(b, "CAP_SETUID", "setuid to 34", "/d", PHASE_STOP));
	policy_learn(&p, a, b);
	CHECK_INT(p.n, 2);
	CHECK_STR(right_list_find(&p, "CAP_SETUID")->why, "setuid to 33");
	CHECK(!right_list_find(&p, "tcp:any"));
	right_list_done(&p);
	record_right(b, "tcp:40123", "bind", "/d", PHASE_EXERCISE);
	policy_learn(&p, a, b);
	CHECK(right_list_find(&p, "tcp:any"));
}

static void test_file(void)
{
	struct scratch s = scratch_new();
	struct record *a CLEANUP_RECORD = record_new();
	struct right_list p CLEANUP_RIGHT_LIST = RIGHT_LIST_INIT,
			    q CLEANUP_RIGHT_LIST = RIGHT_LIST_INIT;
	struct err e = {0};

	record_right(a, "set-id:/bin/\xff", "executed", "/d", PHASE_STOP);
	record_right(a, "AF_NETLINK", "socket", "", PHASE_START);
	policy_learn(&p, a, NULL);
	CHECK_INT(policy_write(&p, s.fd, &e), 0);
	CHECK_INT(policy_load(s.fd, &q, &e), 0);
	CHECK_INT(q.n, 2);
	CHECK(right_list_find(&q, "set-id:/bin/\xff"));
	CHECK_INT(right_list_find(&q, "set-id:/bin/\xff")->phase, PHASE_STOP);
	scratch_done(&s);
}

/* Half a policy is none. */
static void test_damaged(void)
{
	static const char *const texts[] = {
	    "",
	    "{}",
	    "[{}]",
	    "[",
	    "[{\"right\":\"CAP_SYS_ADMIN\",\"why\":\"x\",\"by\":\"\",\"phase\":\"start\"}]",
	    "[{\"right\":\"CAP_CHOWN\",\"why\":\"x\",\"by\":\"\",\"phase\":\"never\"}]",
	    "[{\"right\":\"CAP_CHOWN\",\"why\":1,\"by\":\"\",\"phase\":\"start\"}]",
	};
	struct scratch s = scratch_new();

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct right_list p CLEANUP_RIGHT_LIST = RIGHT_LIST_INIT;
		struct err e = {0};
		put_file(s.fd, "policy.json", texts[i]);
		CHECK(policy_load(s.fd, &p, &e) < 0);
		CHECK_INT(p.n, 0);
	}
	scratch_done(&s);
}

static void test_confinement(void)
{
	static const struct {
		const char *spec;
		uint64_t want;
		bool no_new_privs, connect, bind_any;
		size_t n_bind;
	} rows[] = {
	    {"[Service]\n", BIT(CAP_CHOWN) | BIT(CAP_SETUID), true, false, false, 1},
	    {"[Service]\nCapabilityBoundingSet=CAP_CHOWN CAP_KILL\n", BIT(CAP_CHOWN), true, false,
	     false, 1},
	    {"[Service]\nCapabilityBoundingSet=~CAP_CHOWN\n", BIT(CAP_SETUID), true, false, false,
	     1},
	    {"[Service]\nCapabilityBoundingSet=\n", 0, true, false, false, 1},
	    {"[Service]\nAmbientCapabilities=CAP_NET_RAW CAP_SYS_ADMIN\n",
	     BIT(CAP_CHOWN) | BIT(CAP_SETUID) | BIT(CAP_NET_RAW), true, false, false, 1},
	    {"[Jail]\nRights=CAP_KILL tcp:81 connect:tcp:25\n",
	     BIT(CAP_CHOWN) | BIT(CAP_SETUID) | BIT(CAP_KILL), true, true, false, 2},
	    {"[Jail]\nRights=set-id:/bin/su tcp:any\n", BIT(CAP_CHOWN) | BIT(CAP_SETUID), false,
	     false, true, 1},
	};
	struct record *a CLEANUP_RECORD = record_new();
	struct right_list p CLEANUP_RIGHT_LIST = RIGHT_LIST_INIT;

	record_right(a, "CAP_CHOWN", "chown", "/d", PHASE_START);
	record_right(a, "CAP_SETUID", "setuid", "/d", PHASE_START);
	record_right(a, "tcp:80", "bind", "/d", PHASE_START);
	record_right(a, "udp:53", "bind", "/d", PHASE_START);
	policy_learn(&p, a, a);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct spec *s CLEANUP_SPEC = spec_of(rows[i].spec);
		struct confinement c CLEANUP_CONFINEMENT = CONFINEMENT_INIT;
		struct err e = {0};
		CHECK_INT(confinement_make(&p, s, &c, &e), 0);
		CHECK(c.walls.capabilities == rows[i].want);
		CHECK_INT(c.walls.no_new_privs, rows[i].no_new_privs);
		CHECK_INT(c.landlock.connect_any, rows[i].connect);
		CHECK_INT(c.landlock.bind_any, rows[i].bind_any);
		CHECK_INT(c.landlock.n_bind, rows[i].n_bind);
		CHECK(c.filter.len > 0 && c.walls.landlock == &c.landlock);
	}
}

/* Rows: a spec, a call, whether it is taken. */
static void test_hardening_calls(void)
{
	static const struct {
		const char *spec, *call;
		bool taken;
	} rows[] = {
	    {"", "ptrace", false},
	    {"SystemCallFilter=@system-service\n", "ptrace", true},
	    {"SystemCallFilter=@system-service\n", "read", false},
	    {"SystemCallFilter=@system-service\n", "setuid", false},
	    {"SystemCallFilter=read\n", "execve", false}, /* @default */
	    {"SystemCallFilter=read\n", "write", true},
	    {"SystemCallFilter=@system-service\nSystemCallFilter=~@privileged\n", "setuid", true},
	    {"SystemCallFilter=@system-service\nSystemCallFilter=~@privileged\n", "read", false},
	    {"SystemCallFilter=~@privileged @debug:EPERM\n", "ptrace", true},
	    {"SystemCallFilter=~@privileged\nSystemCallFilter=chown\n", "chown", false},
	    {"SystemCallFilter=~@privileged\nSystemCallFilter=chown\n", "fchown", true},
	    {"SystemCallFilter=~ptrace\nSystemCallFilter=\n", "ptrace", false},
	    {"ProtectClock=yes\n", "adjtimex", true},
	    {"ProtectClock=no\n", "adjtimex", false},
	    {"ProtectHostname=yes\n", "sethostname", true},
	    {"ProtectKernelLogs=1\n", "syslog", true},
	    {"RestrictNamespaces=yes\n", "setns", true},
	    {"RestrictNamespaces=no\n", "setns", false},
	    {"RestrictNamespaces=~user\n", "setns", true},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_STR char *text = xasprintf("[Service]\n%s", rows[i].spec);
		struct spec *s CLEANUP_SPEC = spec_of(text);
		struct hardening h CLEANUP_HARDENING = HARDENING_INIT;
		struct err e = {0};
		CHECK_INT(hardening_of(s, NULL, &h, &e), 0);
		CHECK_INT(strv_has(&h.calls, rows[i].call), rows[i].taken);
	}
}

static void test_hardening_others(void)
{
	static const struct {
		const char *spec;
		uint64_t families, namespaces;
		bool no_new_privs;
	} rows[] = {
	    {"RestrictAddressFamilies=AF_UNIX AF_INET\n", ~(BIT(AF_UNIX) | BIT(AF_INET)), 0, false},
	    {"RestrictAddressFamilies=~AF_PACKET AF_RDS\n", BIT(AF_PACKET), 0, false},
	    {"RestrictAddressFamilies=none\n", ~UINT64_C(0), 0, false},
	    {"RestrictNamespaces=net ipc\n", 0, ~(uint64_t)(CLONE_NEWNET | CLONE_NEWIPC), false},
	    {"RestrictNamespaces=~net\nRestrictNamespaces=~user\n", 0, CLONE_NEWNET | CLONE_NEWUSER,
	     false},
	    {"RestrictNamespaces=no\n", 0, 0, false},
	    {"User=nobody\nLockPersonality=yes\n", 0, 0, true},
	    {"User=nobody\nLockPersonality=no\n", 0, 0, false},
	    {"User=root\nLockPersonality=yes\n", 0, 0, false},
	    {"NoNewPrivileges=yes\n", 0, 0, true},
	};
	static const char *const wrong[] = {"SystemCallFilter=@nosuch\n",
					    "RestrictNamespaces=what\n"};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_STR char *text = xasprintf("[Service]\n%s", rows[i].spec);
		struct spec *s CLEANUP_SPEC = spec_of(text);
		struct hardening h CLEANUP_HARDENING = HARDENING_INIT;
		struct err e = {0};
		CHECK_INT(hardening_of(s, NULL, &h, &e), 0);
		CHECK(h.families == rows[i].families && h.namespaces == rows[i].namespaces);
		CHECK_INT(h.no_new_privs, rows[i].no_new_privs);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		CLEANUP_STR char *text = xasprintf("[Service]\n%s", wrong[i]);
		struct spec *s CLEANUP_SPEC = spec_of(text);
		struct hardening h CLEANUP_HARDENING = HARDENING_INIT;
		struct err e = {0};
		CHECK_INT(hardening_of(s, NULL, &h, &e), -EINVAL);
		CHECK(e.msg[0]);
	}
}

/* What a run used is told, with the directive that takes it. */
static void test_hardening_conflicts(void)
{
	struct spec *s CLEANUP_SPEC =
	    spec_of("[Service]\nProtectClock=yes\nRestrictAddressFamilies="
		    "AF_UNIX\nRestrictSUIDSGID=yes\n");
	struct record *a CLEANUP_RECORD = record_new();
	struct right_list p CLEANUP_RIGHT_LIST = RIGHT_LIST_INIT;
	struct strv lines CLEANUP_STRV = STRV_INIT;

	record_right(a, "adjtimex()", "adjtimex", "/usr/sbin/x", PHASE_START);
	record_right(a, "AF_PACKET", "socket", "/usr/sbin/x", PHASE_START);
	record_right(a, "CAP_CHOWN", "chown", "/usr/sbin/x", PHASE_START);
	record_right(a, "chroot()", "chroot", "/usr/sbin/x", PHASE_START);
	policy_learn(&p, a, a);
	hardening_conflicts(s, &p, &lines);
	CHECK_INT(lines.n, 2);
	CHECK_STR(lines.v[0],
		  "RestrictAddressFamilies= takes away AF_PACKET, which /usr/sbin/x used (socket)");
	CHECK_STR(lines.v[1],
		  "ProtectClock= takes away adjtimex(), which /usr/sbin/x used (adjtimex)");
}

static void test_answers(void)
{
	static const struct {
		const char *asked;
		int code;
		bool granted;
		const char *text, *remedy;
	} rows[] = {
	    {"CAP_CHOWN", 0, true, "chown", NULL},
	    {"CAP_KILL", 0, true, "Rights=", NULL},
	    {"CAP_NET_RAW", 0, false, "no run", "Rights=CAP_NET_RAW"},
	    {"CAP_SYS_ADMIN", 0, false, "host", NULL},
	    {"read()", 0, true, "base set", NULL},
	    {"ptrace()", 0, false, "no run", "Rights=ptrace()"},
	    {"kexec_load()", 0, false, "every jail", NULL},
	    {"tcp:81", 0, false, "no run", "Rights=tcp:81"},
	    {"connect:tcp:26", 0, true, "connect", NULL},
	    {"what", -EINVAL, false, NULL, NULL},
	    {"nosuch()", -EINVAL, false, NULL, NULL},
	};
	struct generation g CLEANUP_GENERATION = GENERATION_INIT;
	struct record *a CLEANUP_RECORD = record_new();

	record_right(a, "CAP_CHOWN", "chown", "/d", PHASE_START);
	record_right(a, "connect:tcp:25", "connect", "/d", PHASE_START);
	policy_learn(&g.policy, a, a);
	g.spec_text = strdup("[Jail]\nRights=CAP_KILL\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct right_answer ans CLEANUP_RIGHT_ANSWER = RIGHT_ANSWER_INIT;
		struct err e = {0};
		CHECK_INT(right_answer(&g, rows[i].asked, &ans, &e), rows[i].code);
		CHECK_INT(ans.granted, rows[i].granted);
		CHECK(!rows[i].text || strstr(ans.text, rows[i].text));
		CHECK(rows[i].remedy ? ans.remedy && !strcmp(ans.remedy, rows[i].remedy)
				     : !ans.remedy);
	}
}

int main(void)
{
	test_words();
	test_learn();
	test_file();
	test_damaged();
	test_confinement();
	test_hardening_calls();
	test_hardening_others();
	test_hardening_conflicts();
	test_answers();
	return check_done("policy");
}
