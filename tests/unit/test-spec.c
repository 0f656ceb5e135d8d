/* SPDX-License-Identifier: MIT */
#include "spec/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "check.h"
#include "spec/ini-text.h"
#include "spec/spec-keys.h"
#include "spec/values.h"

static int parse(struct spec *s, const char *text, struct err *e)
{
	return spec_parse(s, text, strlen(text), "/etc/immure/web.conf", e);
}

static const char full[] = "# a comment\n"
			   "[Service]\n"
			   "Type=forking\n"
			   "User=www-data\n"
			   "ExecStartPre=/usr/sbin/nginx -t \\\n"
			   "# in between\n"
			   "  -q\n"
			   "ExecStart=/usr/sbin/nginx -g 'daemon on;'\n"
			   "ExecReload=/usr/sbin/nginx -s reload\n"
			   "ExecReload=+/bin/kill -HUP $MAINPID\n"
			   "Environment=A=1 \"B=two words\"\n"
			   "Environment=A=3\n"
			   "EnvironmentFile=-/etc/default/%p\n"
			   "RuntimeDirectory=nginx %N/sub\n"
			   "RuntimeDirectoryMode=2750\n"
			   "PIDFile=nginx.pid\n"
			   "KillSignal=QUIT\n"
			   "TimeoutStartSec=1min 30s\n"
			   "TimeoutStopSec=0\n"
			   "UMask=077\n"
			   "LimitNOFILE=1024:65535\n"
			   "LimitCORE=infinity\n"
			   "Nice=-5\n"
			   "OOMScoreAdjust=-900\n"
			   "BindPaths=/srv/a:/b//c/:rbind -/d\n"
			   "BindReadOnlyPaths=@queue:/srv//in/\n"
			   "MemoryMax=50%\n"
			   "CPUQuota=150%\n"
			   "CPUWeight=idle\n"
			   "CapabilityBoundingSet=CAP_NET_BIND_SERVICE\n"
			   "PrivateTmp=true\n"
			   "ReadWriteDirectories=-/var/lib/x /y/\n"
			   "WorkingDirectory=-~\n"
			   "[Exercise]\n"
			   "Command=date +%s; echo \"x\n"
			   "Command=curl http://[::1]/\n"
			   "Ready = true \n"
			   "Timeout=5\n"
			   "[Jail]\n"
			   "State=/var/lib/web \"/srv/a b\"\n"
			   "Sample=/var/lib/web=empty /srv/x=/srv/y/\n"
			   "Socket=/run//a=b.sock=bind /run/c.sock=ignore\n"
			   "Shared=queue=root:root:2770\n"
			   "Closure=exact\n"
			   "Net=host\n"
			   "Accounts=live\n"
			   "Require=landlock-net\n"
			   "ConfigTest=/usr/sbin/nginx -t\n";

static void check_service(const struct spec *s)
{
	CHECK_INT(s->type, TYPE_FORKING);
	CHECK_STR(s->user, "www-data");
	CHECK_INT(s->start.n, 1);
	CHECK_STR(s->start.v[0].argv.v[2], "daemon on;");
	CHECK_INT(s->start_pre.v[0].argv.n, 3);
	CHECK_STR(s->start_pre.v[0].argv.v[2], "-q");
	CHECK_INT(s->reload.n, 2);
	CHECK(s->reload.v[1].privileged);
	CHECK_STR(s->reload.v[1].argv.v[2], "$MAINPID");
	CHECK_INT(s->environment.n, 2);
	CHECK_STR(s->environment.v[0], "A=3");
	CHECK_STR(s->environment.v[1], "B=two words");
	CHECK_STR(s->environment_files.v[0], "-/etc/default/web");
	CHECK_STR(s->runtime_dirs.names.v[1], "web/sub");
	CHECK_INT(s->runtime_dirs.mode, 02750);
	CHECK_INT(s->state_dirs.mode, 0755);
	CHECK_STR(s->pid_file, "/run/nginx.pid");
	CHECK_INT(s->kill_signal, SIGQUIT);
	CHECK(s->timeout_start == 90 && s->timeout_stop == 0);
	CHECK_INT(s->umask, 077);
	CHECK(s->limit_set[RLIMIT_NOFILE] && !s->limit_set[RLIMIT_AS]);
	CHECK_INT(s->limits[RLIMIT_NOFILE].rlim_cur, 1024);
	CHECK_INT(s->limits[RLIMIT_NOFILE].rlim_max, 65535);
	CHECK(s->limits[RLIMIT_CORE].rlim_max == RLIM_INFINITY);
	CHECK(s->nice_set && s->nice == -5);
	CHECK(s->oom_score_adjust_set && s->oom_score_adjust == -900);
	CHECK_STR(s->bind_paths.v[0], "/srv/a:/b/c");
	CHECK_STR(s->bind_paths.v[1], "-/d");
	CHECK_STR(s->read_write_paths.v[0], "/var/lib/x");
	CHECK_STR(s->read_write_paths.v[1], "/y");
	CHECK_STR(s->working_directory, "~");
	CHECK(s->working_directory_optional);
	CHECK_STR(s->bind_read_only_paths.v[0], "@queue:/srv/in");
	CHECK_STR(spec_find(s, SPEC_SERVICE, "MemoryMax")->value, "50%");
	CHECK(spec_find(s, SPEC_SERVICE, "MemoryMin") == NULL);
}

static void check_ours(const struct spec *s)
{
	CHECK_INT(s->state.n, 2);
	CHECK_STR(s->state.v[1], "/srv/a b");
	CHECK_STR(s->sample.v[0], "/var/lib/web=empty");
	CHECK_STR(s->sample.v[1], "/srv/x=/srv/y");
	CHECK_STR(s->sockets.v[0], "/run/a=b.sock=bind");
	CHECK_INT(spec_socket_choice(s->sockets.v[0]), SOCKET_BIND);
	CHECK_INT(spec_socket_choice(s->sockets.v[1]), SOCKET_IGNORE);
	CHECK_INT(spec_socket_choice("/run/x"), SOCKET_UNDECIDED);
	CHECK_STR(s->shared.v[0], "queue=root:root:2770");
	CHECK_INT(s->closure, CLOSURE_EXACT);
	CHECK_INT(s->net, NET_HOST);
	CHECK_INT(s->accounts, ACCOUNTS_LIVE);
	CHECK_INT(s->update, UPDATE_RESTART);
	CHECK_STR(s->require.v[0], "landlock-net");
	CHECK_INT(s->config_test.n, 1);
	CHECK_INT(s->exercise.n, 2);
	CHECK_STR(s->exercise.v[0], "date +%s; echo \"x");
	CHECK_STR(s->ready, "true");
	CHECK(s->exercise_timeout == 5);
	CHECK_INT(s->compare, COMPARE_EXACT);
}

static void check_same(const struct spec *a, const struct spec *b)
{
	CHECK_INT(a->n_settings, b->n_settings);
	for (size_t i = 0; i < a->n_settings && i < b->n_settings; i++) {
		CHECK_INT(a->settings[i].section, b->settings[i].section);
		CHECK_STR(a->settings[i].key, b->settings[i].key);
		CHECK_STR(a->settings[i].value, b->settings[i].value);
	}
}

static void test_full(void)
{
	CLEANUP_SPEC struct spec *s = spec_new("web"), *again = spec_new("web");
	struct err e = {0};

	CHECK_INT(parse(s, full, &e), 0);
	CHECK_STR(e.msg, "");
	check_service(s);
	check_ours(s);
	CHECK_STR(spec_find(s, SPEC_SERVICE, "Type")->origin, "/etc/immure/web.conf:3");
	CHECK_STR(spec_find(s, SPEC_SERVICE, "ExecStartPre")->origin, "/etc/immure/web.conf:5");
	CHECK_STR(spec_find(s, SPEC_SERVICE, "ExecStart")->origin, "/etc/immure/web.conf:8");
	CHECK_STR(spec_find(s, SPEC_SERVICE, "ReadWritePaths")->value, "-/var/lib/x /y/");

	CLEANUP_STR char *text = spec_print(s);
	CHECK_INT(parse(again, text, &e), 0);
	check_service(again);
	check_ours(again);
	check_same(s, again);
	CLEANUP_STR char *text_again = spec_print(again);
	CHECK_STR(text_again, text);
}

/* Scalars replace, lists append, an empty value clears. */
static void test_merge(void)
{
	CLEANUP_SPEC struct spec *s = spec_new("web");
	struct err e = {0};

	CHECK_INT(parse(s,
			"[Service]\nType=oneshot\nExecStart=/bin/a\nExecStart=/bin/b\nUser=u\n"
			"User=v\nLimitNOFILE=5\nCapabilityBoundingSet=CAP_CHOWN\n"
			"SystemCallFilter=@system-service\nSystemCallFilter=~@privileged\n",
			&e),
		  0);
	CHECK_INT(s->start.n, 2);
	CHECK(s->timeout_start == 0);
	CHECK_STR(s->user, "v");
	CHECK_INT(s->n_settings, 8);
	CHECK_INT(
	    parse(s,
		  "[Service]\nType=simple\nExecStart=\nExecStart=/bin/c\nUser=\nLimitNOFILE=\n"
		  "CapabilityBoundingSet=\nSystemCallFilter=\n",
		  &e),
	    0);
	CHECK_INT(s->start.n, 1);
	CHECK_STR(s->start.v[0].argv.v[0], "/bin/c");
	CHECK(s->timeout_start == 90);
	CHECK(!s->user && !s->limit_set[RLIMIT_NOFILE]);
	CHECK_INT(s->n_settings, 3);
	CHECK_STR(spec_find(s, SPEC_SERVICE, "CapabilityBoundingSet")->value, "");
	CHECK(!spec_find(s, SPEC_SERVICE, "SystemCallFilter"));

	CLEANUP_SPEC struct spec *again = spec_new("web");
	CLEANUP_STR char *text = spec_print(s);
	CHECK_INT(parse(again, text, &e), 0);
	check_same(s, again);
}

static void test_errors(void)
{
#define AT "/etc/immure/web.conf:2: "
	static const struct {
		const char *text, *message;
	} cases[] = {
	    {"[Service]\nUsr=x", AT "unknown key 'Usr' in [Service] (did you mean User?)"},
	    {"[Service]\nexecstart=x",
	     AT "unknown key 'execstart' in [Service] (did you mean ExecStart?)"},
	    {"[Service]\nFoo=x", AT "unknown key 'Foo' in [Service]"},
	    {"[Service]\nState=/x", AT "key 'State' belongs into [Jail], not [Service]"},
	    {"\n[Jial]\nState=/x", AT "unknown section [Jial] (did you mean Jail?)"},
	    {"\nUser=x", AT "a setting before the first [Section]"},
	    {"[Service]\nfoo", AT "neither a [Section] nor KEY=VALUE"},
	    {"[Service]\nUser: x=y", AT "neither a [Section] nor KEY=VALUE"},
	    {"[Service]\n[Jail", AT "a section header is [NAME], nothing else"},
	    {"[Service]\n[Jail] x]", AT "a section header is [NAME], nothing else"},
	    {"[Service]\n=x", AT "unknown key '' in [Service]"},
	    {"[Service]\nUser=a\001b", AT "a control character"},
	    {"[Service]\nUser=a\xff", AT "bytes that are not UTF-8"},
	    {"[Service]\nUser=a\rb", AT "a control character"},
	    {"[Service]\nUser=a b", AT "User=: 'a b' is not the name or number of an account"},
	    {"[Service]\nType=forkin",
	     AT "Type=: 'forkin' is not one of simple, exec, forking, notify, oneshot, idle, dbus "
		"(did you mean forking?)"},
	    {"[Service]\nType=", AT "Type=: a value is missing"},
	    {"[Service]\nNoNewPrivileges=maybe",
	     AT "NoNewPrivileges=: 'maybe' is not a boolean: yes or no"},
	    {"[Service]\nExecStart=nginx/x",
	     AT "ExecStart=: 'nginx/x' is no program: give an absolute path or a plain name"},
	    {"[Service]\nExecStart=/bin/x 'y", AT "ExecStart=: a quote (') without its end"},
	    {"[Service]\nExecStart=/bin/x %Z",
	     AT "ExecStart=: unknown specifier %Z; a percent sign is written %%"},
	    {"[Service]\nExecStart=/bin/x 5%",
	     AT "ExecStart=: unknown specifier %; a percent sign is written %%"},
	    {"[Service]\nEnvironment=A=1 secret-value",
	     AT "Environment=: 'secret-value' is no NAME=value"},
	    {"[Service]\nLimitNOFILE=9:5",
	     AT "LimitNOFILE=: '9:5' is not a limit: the soft one is above the hard one"},
	    {"[Service]\nUMask=8", AT "UMask=: '8' is not an octal mode such as 0755"},
	    {"[Service]\nNice=20", AT "Nice=: '20' is not a number from -20 to 19"},
	    {"[Service]\nKillSignal=SIGFOO",
	     AT "KillSignal=: 'SIGFOO' is not a signal such as SIGTERM"},
	    {"[Service]\nTimeoutSec=5 parsecs",
	     AT "TimeoutSec=: '5 parsecs' is not a time such as 90, 5min 20s or infinity"},
	    {"[Service]\nMemoryMax=lots",
	     AT "MemoryMax=: 'lots' is not a size such as 4096, 512M or infinity"},
	    {"[Service]\nStateDirectory=../x",
	     AT "StateDirectory=: '/../x' is not a plain path: it holds \"..\""},
	    {"[Service]\nStateDirectory=/x",
	     AT "StateDirectory=: '/x' is no relative path: it goes below /run, /var/lib ..."},
	    {"[Service]\nBindPaths=/a:/b:norbind",
	     AT "BindPaths=: '/a:/b:norbind': of the options only rbind is known"},
	    {"[Service]\nBindPaths=@queue",
	     AT "BindPaths=: '@queue' is not @LABEL:/path/in/the/jail (letters, digits and _-. in "
		"the label)"},
	    {"[Service]\nBindPaths=@../q:/x", AT
	     "BindPaths=: '@../q:/x' is not @LABEL:/path/in/the/jail (letters, digits and _-. in "
	     "the label)"},
	    {"[Service]\nCPUQuota=half",
	     AT "CPUQuota=: 'half' is no part of a processor such as 150%"},
	    {"[Service]\nSuccessExitStatus=0 256",
	     AT "SuccessExitStatus=: '256' is not an exit status such as 0, 143 or TEMPFAIL, or a "
		"signal such as SIGKILL"},
	    {"[Service]\nIOWeight=10001", AT "IOWeight=: '10001' is not a number from 1 to 10000"},
	    {"[Service]\nCPUWeight=0", AT "CPUWeight=: '0' is not a number from 1 to 10000"},
	    {"[Jail]\nSocket=/run/x.sock",
	     AT "Socket=: '/run/x.sock' is not PATH=bind, PATH=refuse or PATH=ignore"},
	    {"[Jail]\nShared=queue=mail:0750",
	     AT "Shared=: 'queue=mail:0750' is not LABEL=USER:GROUP:MODE"},
	    {"[Jail]\nState=data", AT "State=: 'data' is not an absolute path"},
	    {"[Jail]\nSample=/data",
	     AT "Sample=: '/data' is not DIR=PATH, or DIR=empty, snapshot or live"},
	    {"[Jail]\nClosure=none", AT "Closure=: 'none' is not one of exact, foreseen, package"},
	    {"[Exercise]\nTimeout=0", AT "Timeout=: '0' is not a time from 1ms to 1day"},
	};
#undef AT

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP_SPEC struct spec *s = spec_new("web");
		struct err e = {0};
		CHECK_INT(parse(s, cases[i].text, &e), -EINVAL);
		CHECK_STR(e.msg, cases[i].message);
		CHECK_INT(s->n_settings, 0);
	}
}

static void test_exits(void)
{
	CLEANUP_SPEC struct spec *s = spec_new("web");
	struct err e = {0};

	CHECK_INT(parse(s,
			"[Service]\nSuccessExitStatus=143 TEMPFAIL\nSuccessExitStatus=SIGKILL 0\n"
			"RestartPreventExitStatus=255\nRestartForceExitStatus=1\n"
			"RestartForceExitStatus=\n",
			&e),
		  0);
	CHECK(exits_has(&s->success, 143 << 8));
	CHECK(exits_has(&s->success, 75 << 8));
	CHECK(exits_has(&s->success, 0));
	CHECK(exits_has(&s->success, SIGKILL));
	CHECK(!exits_has(&s->success, 9 << 8));
	CHECK(!exits_has(&s->success, SIGTERM));
	CHECK(exits_has(&s->restart_not, 255 << 8));
	CHECK(!exits_has(&s->restart_always, 1 << 8));
}

static void test_bytes(void)
{
	CLEANUP_SPEC struct spec *s = spec_new("web");
	struct err e = {0};
	char *big = xcalloc(INI_TEXT_MAX + 2, 1);

	CHECK_INT(spec_parse(s, "[Service]\nUser=\0x\n", 18, "f", &e), -EINVAL);
	CHECK_STR(e.msg, "f:2: a control character");
	CHECK_INT(parse(s, "\xef\xbb\xbf[Service]\r\nUser=x\r\n;y\r\nGroup=g", &e), 0);
	CHECK_STR(s->user, "x");
	CHECK_STR(s->group, "g");
	CHECK_INT(parse(s, "[Service]\nUser=a\\\n", &e), 0); /* joined with nothing */
	CHECK_STR(s->user, "a");
	CHECK_INT(parse(s, "[Service]\nUser=a\\\\\nGroup=b", &e), 0); /* two are not one */
	CHECK_STR(s->user, "a\\\\");
	CHECK_INT(parse(s, "# \xff\xfe\n[Service]\nUser=\xc3\xa9\n", &e), 0);

	memset(big, 'a', INI_TEXT_MAX + 1);
	CHECK_INT(parse(s, big, &e), -EFBIG);
	memcpy(big, "[Exercise]\nReady=", 17);
	big[INI_TEXT_MAX] = '\0';
	CHECK_INT(parse(s, big, &e), 0);
	CHECK_INT(strlen(s->ready), INI_TEXT_MAX - 17);
	free(big);

	static const char *const bad[] = {"a\nb", " a", "a ", "a\\", "\xc0\x80", "\xed\xa0\x80"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK_INT(spec_set(s, SPEC_EXERCISE, "Ready", bad[i], "here", &e), -EINVAL);
}

static void test_many(void)
{
	CLEANUP_SPEC struct spec *s = spec_new("web");
	struct err e = {0};
	int r = 0, n = 0;

	while (r == 0 && n < 10000) {
		r = spec_set(s, SPEC_EXERCISE, "Command", "true", "here", &e);
		n += r == 0;
	}
	CHECK_INT(n, 4096);
	CHECK_STR(e.msg, "here: more than 4096 settings");
}

static void test_check(void)
{
	static const struct {
		const char *text, *message; /* NULL: good */
	} cases[] = {
	    {"ExecStart=/bin/x", NULL},
	    {"ExecStart=/bin/x\nUser=root\nGroup=0\nSupplementaryGroups=root 65534", NULL},
	    {"User=root", "web: no command: give ExecStart= in [Service], or \"-- COMMAND\""},
	    {"ExecStart=/bin/x\nUser=no-such-user",
	     "/etc/immure/web.conf:3: User=no-such-user: no such user on this host; make it "
	     "(adduser --system no-such-user) or name another"},
	    {"ExecStart=/bin/x\nSupplementaryGroups=root no-such-group",
	     "/etc/immure/web.conf:3: no such group on this host: no-such-group"},
	    {"ExecStart=/bin/x\nExecStart=/bin/y",
	     "/etc/immure/web.conf:3: more than one ExecStart=, which only Type=oneshot may have; "
	     "an "
	     "empty ExecStart= before it clears the others"},
	    {"ExecStart=/bin/x\nDynamicUser=yes",
	     "/etc/immure/web.conf:3: DynamicUser=: no users are made for a jail, and without one "
	     "it would run as root; make a user and name it with User="},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP_SPEC struct spec *s = spec_new("web");
		CLEANUP_STR char *text = xasprintf("[Service]\n%s\n", cases[i].text);
		struct err e = {0};
		CHECK_INT(parse(s, text, &e), 0);
		CHECK_INT(spec_check(s, &e), cases[i].message ? -EINVAL : 0);
		CHECK_STR(e.msg, cases[i].message ? cases[i].message : "");
	}
}

static void test_values(void)
{
	static const struct {
		const char *text;
		double seconds; /* -1: an error */
	} times[] = {{"0", 0},		{"90", 90},	 {"5min 20s", 320}, {"5min20s", 320},
		     {"1.5h", 5400},	{"250ms", 0.25}, {" 2 min ", 120},  {"infinity", INFINITY},
		     {"1week", 604800}, {"", -1},	 {"s", -1},	    {"-1", -1},
		     {"1e3", -1},	{"0x10", -1},	 {"5 5", 10},	    {"1 min 2 min", 180}};
	static const struct {
		const char *text;
		long long bytes; /* -1: an error, -2: infinity */
	} sizes[] = {{"0", 0},
		     {"4096", 4096},
		     {"1K", 1024},
		     {"1.5M", 1572864},
		     {"2 G", 2ll << 30},
		     {"infinity", -2},
		     {"1KB", 1024},
		     {"7E", 7ll << 60},
		     {"16E", -1},
		     {"1X", -1},
		     {"-1", -1},
		     {"", -1},
		     {"99999999999999999", 99999999999999999}};
	struct rlimit l;
	int n;

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		double t = -1;
		value_time(times[i].text, 1, &t, NULL);
		CHECK(t == times[i].seconds);
	}
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		rlim_t b = (rlim_t)-1;
		int r = value_size(sizes[i].text, &b, NULL);
		CHECK_INT(r, sizes[i].bytes == -1 ? -EINVAL : 0);
		CHECK(b == (sizes[i].bytes < 0 ? RLIM_INFINITY : (rlim_t)sizes[i].bytes));
	}
	CHECK_INT(value_signal("RTMIN+3", &n, NULL), 0);
	CHECK_INT(n, SIGRTMIN + 3);
	CHECK_INT(value_signal("SIGRTMAX", &n, NULL), 0);
	CHECK_INT(value_signal("9", &n, NULL), 0);
	CHECK_INT(value_signal("65", &n, NULL), -EINVAL);
	CHECK_INT(value_signal("RTMIN-1", &n, NULL), -EINVAL);
	CHECK_INT(value_rlimit("+5", RLIMIT_NICE, &l, NULL), 0);
	CHECK_INT(l.rlim_cur, 15);
	CHECK_INT(value_rlimit("1500ms:1min", RLIMIT_CPU, &l, NULL), 0);
	CHECK_INT(l.rlim_cur, 2);
	CHECK_INT(l.rlim_max, 60);
	CHECK_INT(value_rlimit("2ms", RLIMIT_RTTIME, &l, NULL), 0);
	CHECK_INT(l.rlim_cur, 2000);
	CHECK_INT(value_rlimit("8M", RLIMIT_NOFILE, &l, NULL), -EINVAL);
	CHECK_INT(value_rlimit("64K:infinity", RLIMIT_MEMLOCK, &l, NULL), 0);
	CHECK_INT(l.rlim_cur, 65536);
	CHECK_INT(value_rlimit(":5", RLIMIT_NOFILE, &l, NULL), -EINVAL);
}

static void test_table(void)
{
	size_t n;
	const struct spec_key *rows = spec_keys(SPEC_SERVICE, &n);

	CHECK(n > 200);
	for (size_t i = 1; i < n; i++)
		CHECK(strcmp(rows[i - 1].name, rows[i].name) < 0);
	for (size_t i = 0; i < n; i++) {
		bool needs_why = rows[i].use == KEY_REDUNDANT || rows[i].use == KEY_NOT_TAKEN;
		CHECK(rows[i].same_as || needs_why == (rows[i].text != NULL));
		CHECK(spec_key_find(SPEC_SERVICE, rows[i].name) != NULL);
	}
	/* The examples of the commented file are valid. */
	for (enum spec_section section = SPEC_JAIL; section <= SPEC_EXERCISE; section++) {
		rows = spec_keys(section, &n);
		for (size_t i = 0; i < n; i++) {
			CLEANUP_SPEC struct spec *s = spec_new("web");
			CHECK_INT(spec_set(s, section, rows[i].name, rows[i].example, "x", NULL),
				  0);
		}
	}
}

static void write_file(const char *dir, const char *name, const char *text, mode_t mode)
{
	CLEANUP_STR char *path = xasprintf("%s/%s", dir, name);
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
	CHECK(fchmod(fd, mode) == 0);
}

/* Loads "web" and compares the message's beginning; NULL: it is good. */
static void check_load(const char *dir, const char *name, int code, const char *part)
{
	CLEANUP_SPEC struct spec *s = NULL;
	struct err e = {0};

	CHECK_INT(spec_load(dir, name, &s, &e), code);
	CHECK(!part || strstr(e.msg, part));
	if (part && !strstr(e.msg, part))
		printf("# %s\n", e.msg);
}

static void test_load(void)
{
	char dir[] = "/tmp/immure-test-spec.XXXXXX";
	struct err e = {0};

	CHECK(mkdtemp(dir) != NULL);
	CLEANUP_STR char *drop = xasprintf("%s/web.conf.d", dir);
	CHECK(mkdir(drop, 0755) == 0);
	write_file(dir, "web.conf", "[Service]\nExecStart=/bin/x\nUser=a\n", 0644);
	write_file(drop, "20.conf", "[Service]\nUser=c\n", 0644);
	write_file(drop, "10.conf", "[Service]\nUser=b\nGroup=g\n", 0644);
	write_file(drop, "99.conf.off", "nonsense", 0644);

	struct spec *s = NULL;
	CHECK_INT(spec_load(dir, "web", &s, &e), 0);
	CHECK_STR(s->user, "c");
	CHECK_STR(s->group, "g");
	CLEANUP_STR char *origin = xasprintf("%s/20.conf:2", drop);
	CHECK_STR(spec_find(s, SPEC_SERVICE, "User")->origin, origin);
	spec_free(s);

	check_load(dir, "wbe", -ENOENT, "(did you mean web?)");
	check_load(dir, "../web", -EINVAL, "'../web' cannot name a jail");
	check_load("/nowhere/at/all", "web", -ENOENT, "no jail 'web': /nowhere/at/all");
	write_file(drop, "20.conf", "[Service]\nUser=c\n", 0664);
	check_load(dir, "web", -EINVAL, "20.conf: others than its owner may write it; chmod go-w");
	write_file(drop, "20.conf", "[Servce]\nUser=c\n", 0644);
	check_load(dir, "web", -EINVAL,
		   "20.conf:1: unknown section [Servce] (did you mean Service?)");
	CHECK(chmod(drop, 0757) == 0);
	check_load(dir, "web", -EINVAL, "web.conf.d: others than its owner may write it");
	CHECK(chmod(dir, 0775) == 0);
	check_load(dir, "web", -EINVAL, "others than its owner may write it");
	CHECK(chmod(dir, 0755) == 0);
	if (geteuid() == 0) {
		CHECK(chown(dir, 1, 1) == 0);
		check_load(dir, "web", -EINVAL, "owned by user 1; chown root");
	}
	static const char *const files[] = {
	    "web.conf.d/20.conf", "web.conf.d/10.conf", "web.conf.d/99.conf.off",
	    "web.conf",		  "web.conf.d",		""};
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		CLEANUP_STR char *path = xasprintf("%s/%s", dir, files[i]);
		CHECK(remove(path) == 0);
	}
}

static void test_set_word(void)
{
	CLEANUP_SPEC struct spec *s = spec_new("web"), *again = spec_new("web");
	struct err e = {0};

	CHECK_INT(spec_set_word(s, SPEC_JAIL, "State", "/a b\"'%i\\", "x", &e), 0);
	CHECK_STR(s->state.v[0], "/a b\"'%i\\");
	CHECK_INT(spec_set_word(s, SPEC_SERVICE, "Environment", "A=%n 'b\n\tc'", "x", &e), 0);
	CHECK_STR(s->environment.v[0], "A=%n 'b\n\tc'");
	CHECK_INT(spec_set_word(s, SPEC_SERVICE, "WorkingDirectory", "/%t x", "x", &e), 0);
	CHECK_STR(s->working_directory, "/%t x");
	CHECK_INT(spec_set_word(s, SPEC_EXERCISE, "Command", "date +%s 'x", "x", &e), 0);
	CHECK_STR(s->exercise.v[0], "date +%s 'x");
	CHECK_INT(spec_set_word(s, SPEC_SERVICE, "MemoryMax", "5%", "x", &e), 0);
	CHECK_INT(spec_set_word(s, SPEC_JAIL, "State", "", "x", &e), -EINVAL);
	CHECK_INT(spec_set_word(s, SPEC_JAIL, "State", "/a\nb", "x", &e), -EINVAL);
	CHECK_INT(spec_set_word(s, SPEC_JAIL, "Stat", "/a", "x", &e), -EINVAL);
	CHECK_STR(e.msg, "x: unknown key 'Stat' in [Jail] (did you mean State?)");
	CLEANUP_STR char *text = spec_print(s);
	CHECK_INT(parse(again, text, &e), 0);
	check_same(s, again);
	CHECK_STR(again->environment.v[0], "A=%n 'b\n\tc'");
}

static void test_names(void)
{
	CHECK(str_is_name("web") && str_is_name("pg@15-main") && str_is_name("0a.b_c"));
	CHECK(!str_is_name("") && !str_is_name(".web") && !str_is_name("a/b") &&
	      !str_is_name("a b") && !str_is_name("-x"));
	CHECK(!str_is_name("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

int main(void)
{
	test_full();
	test_merge();
	test_errors();
	test_exits();
	test_bytes();
	test_many();
	test_check();
	test_values();
	test_table();
	test_load();
	test_set_word();
	test_names();
	return check_done("spec");
}
