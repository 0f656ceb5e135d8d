/* SPDX-License-Identifier: MIT */
#include "spec/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/fd.h"
#include "base/path.h"
#include "check.h"
#include "spec/specifier.h"

/* A unit's text read into a spec, with the report. */
struct reading {
	struct spec *spec;
	struct unit_report report;
	struct err e;
	int r;
};

static struct reading read_text(const char *unit, const char *text)
{
	struct reading x = {.spec = spec_new("web")};

	x.r = unit_parse(text, strlen(text), "/lib/systemd/system/x.service", unit, x.spec,
			 &x.report, &x.e);
	return x;
}

static struct reading read_unit(const char *root, const char *unit)
{
	struct reading x = {.spec = spec_new("web")};

	x.r = unit_load(root, unit, x.spec, &x.report, &x.e);
	return x;
}

static void done(struct reading *x)
{
	spec_free(x->spec);
	unit_report_done(&x->report);
}

static const struct unit_note *find(const struct reading *x, const char *key)
{
	static const struct unit_note none = {0};

	for (size_t i = 0; i < x->report.n; i++)
		if (streq(x->report.v[i].key, key))
			return &x->report.v[i];
	return &none;
}

/* Debian's units, as shipped in bookworm, without their comments. */
static const char redis[] =
    "[Unit]\nDescription=Advanced key-value store\nAfter=network.target\n"
    "[Service]\nType=notify\n"
    "ExecStart=/usr/bin/redis-server /etc/redis/redis.conf --supervised systemd --daemonize no\n"
    "PIDFile=/run/redis/redis-server.pid\nTimeoutStopSec=0\nRestart=always\nUser=redis\n"
    "Group=redis\nRuntimeDirectory=redis\nRuntimeDirectoryMode=2755\n\nUMask=007\n"
    "PrivateTmp=true\nLimitNOFILE=65535\nProtectSystem=strict\n"
    "ReadWritePaths=-/var/lib/redis\nReadWritePaths=-/var/log/redis\n"
    "CapabilityBoundingSet=\nNoNewPrivileges=true\n"
    "SystemCallFilter=@system-service\nSystemCallFilter=~ @privileged @resources\n"
    "ReadWriteDirectories=-/etc/redis\nNoExecPaths=/\n"
    "ExecPaths=/usr/bin/redis-server /usr/lib /lib\n"
    "[Install]\nWantedBy=multi-user.target\nAlias=redis.service\n";

static void test_redis(void)
{
	struct reading x = read_text("redis-server.service", redis);
	const struct spec *s = x.spec;

	CHECK_INT(x.r, 0);
	CHECK_INT(s->type, TYPE_NOTIFY);
	CHECK_INT(s->start.v[0].argv.n, 6);
	CHECK_STR(s->user, "redis");
	CHECK_STR(s->runtime_dirs.names.v[0], "redis");
	CHECK_INT(s->runtime_dirs.mode, 02755);
	CHECK_INT(s->umask, 07);
	CHECK(s->timeout_stop == 0);
	CHECK_INT(s->read_write_paths.n, 3);
	CHECK_STR(spec_find(s, SPEC_SERVICE, "CapabilityBoundingSet")->value, "");
	CHECK(!spec_find(s, SPEC_SERVICE, "PrivateTmp"));
	CHECK_INT(find(&x, "User")->verdict, UNIT_TAKEN);
	CHECK_STR(find(&x, "User")->origin, "/lib/systemd/system/x.service:10");
	CHECK_INT(find(&x, "PrivateTmp")->verdict, UNIT_REDUNDANT);
	CHECK_STR(find(&x, "PrivateTmp")->why, "a jail has /tmp and /var/tmp of its own");
	CHECK_INT(find(&x, "Restart")->verdict, UNIT_TAKEN);
	CHECK_INT(find(&x, "WantedBy")->verdict, UNIT_REDUNDANT);
	CHECK_INT(x.report.n, 26); /* each line once */
	done(&x);
}

static void test_postgresql(void)
{
	struct reading x =
	    read_text("postgresql@15-main.service",
		      "[Unit]\nAssertPathExists=/etc/postgresql/%I/postgresql.conf\n"
		      "[Service]\nType=forking\n"
		      "ExecStart=-/usr/bin/pg_ctlcluster --skip-systemctl-redirect %i start\n"
		      "TimeoutStartSec=0\nTimeoutStopSec=1h\n"
		      "PIDFile=/run/postgresql/%i.pid\nSyslogIdentifier=postgresql@%i\n"
		      "OOMScoreAdjust=-900\n");
	const struct spec *s = x.spec;

	CHECK_INT(x.r, 0);
	CHECK(s->start.v[0].ignore_failure);
	CHECK_STR(s->start.v[0].argv.v[2], "15-main");
	CHECK_STR(s->pid_file, "/run/postgresql/15-main.pid");
	CHECK(s->timeout_start == 0 && s->timeout_stop == 3600);
	CHECK_INT(s->oom_score_adjust, -900);
	CHECK_STR(find(&x, "ExecStart")->value,
		  "-/usr/bin/pg_ctlcluster --skip-systemctl-redirect %i start");
	done(&x);
}

/* The [Service] sections of other units of bookworm, and what a spec has of them. */
static void test_debian(void)
{
	static const struct {
		const char *name, *text, *settings;
	} cases[] = {
	    {"apache2.service",
	     "Type=forking\nEnvironment=APACHE_STARTED_BY_SYSTEMD=true\n"
	     "ExecStart=/usr/sbin/apachectl start\nExecStop=/usr/sbin/apachectl graceful-stop\n"
	     "ExecReload=/usr/sbin/apachectl graceful\nKillMode=mixed\nPrivateTmp=true\n"
	     "Restart=on-abort\nOOMPolicy=continue\n",
	     "Type=forking\nEnvironment=APACHE_STARTED_BY_SYSTEMD=true\n"
	     "ExecStart=/usr/sbin/apachectl start\nExecStop=/usr/sbin/apachectl graceful-stop\n"
	     "ExecReload=/usr/sbin/apachectl graceful\nKillMode=mixed\nRestart=on-abort\n"},
	    {"nginx.service",
	     "Type=forking\nPIDFile=/run/nginx.pid\n"
	     "ExecStartPre=/usr/sbin/nginx -t -q -g 'daemon on; master_process on;'\n"
	     "ExecStart=/usr/sbin/nginx -g 'daemon on; master_process on;'\n"
	     "ExecStop=-/sbin/start-stop-daemon --quiet --stop --retry QUIT/5 --pidfile "
	     "/run/nginx.pid\nTimeoutStopSec=5\nKillMode=mixed\n",
	     "Type=forking\nPIDFile=/run/nginx.pid\n"
	     "ExecStartPre=/usr/sbin/nginx -t -q -g 'daemon on; master_process on;'\n"
	     "ExecStart=/usr/sbin/nginx -g 'daemon on; master_process on;'\n"
	     "ExecStop=-/sbin/start-stop-daemon --quiet --stop --retry QUIT/5 --pidfile "
	     "/run/nginx.pid\nTimeoutStopSec=5\nKillMode=mixed\n"},
	    {"named.service",
	     "Type=notify\nEnvironmentFile=-/etc/default/named\n"
	     "ExecStart=/usr/sbin/named -f $OPTIONS\nExecReload=/usr/sbin/rndc reload\n"
	     "ExecStop=/usr/sbin/rndc stop\nRestart=on-failure\n",
	     "Type=notify\nEnvironmentFile=-/etc/default/named\n"
	     "ExecStart=/usr/sbin/named -f $OPTIONS\nExecReload=/usr/sbin/rndc reload\n"
	     "ExecStop=/usr/sbin/rndc stop\nRestart=on-failure\n"},
	    {"dbus.service",
	     "Type=notify\nNotifyAccess=main\nExecStart=@/usr/bin/dbus-daemon @dbus-daemon "
	     "--system\nOOMScoreAdjust=-900\n",
	     "Type=notify\nNotifyAccess=main\nExecStart=@/usr/bin/dbus-daemon @dbus-daemon "
	     "--system\nOOMScoreAdjust=-900\n"},
	    {"getty@tty1.service",
	     "ExecStart=-/sbin/agetty -o '-p -- \\\\u' --noclear %I $TERM\nTTYPath=/dev/%I\n"
	     "UtmpIdentifier=%I\nUnsetEnvironment=LANG LC_ALL\n",
	     "ExecStart=-/sbin/agetty -o '-p -- \\\\u' --noclear tty1 $TERM\n"
	     "UnsetEnvironment=LANG LC_ALL\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP_STR char *text = xasprintf("[Service]\n%s", cases[i].text);
		CLEANUP_STR char *want = xasprintf("[Service]\n%s\n[Jail]\n", cases[i].settings);
		struct reading x = read_text(cases[i].name, text);
		CLEANUP_STR char *printed = spec_print(x.spec);
		CHECK_INT(x.r, 0);
		CHECK(strstr(printed, want) != NULL);
		if (!strstr(printed, want))
			printf("# %.800s\n", printed);
		done(&x);
	}
}

/* Names are replaced at once; what the host says stays text; a percent sign stays one. */
static void test_specifiers(void)
{
	static const struct {
		const char *unit, *text, *value;
	} cases[] = {
	    {"foo@a-b.service", "%i %I %p %n %N %f", "a-b a/b foo foo@a-b.service foo@a-b /a/b"},
	    {"a-b\\x2dc.service", "%p %P %j %J [%i]", "a-b\\x5cx2dc a/b-c b\\x5cx2dc b-c []"},
	    {"foo@x\\x20y.service", "%I", "x\\x20y"},
	    {"foo@a%b.service", "%i", "a%%b"},
	    {"foo.service", "%H %t %% %%i %Z 50%", "%H %t %% %%i %%Z 50%%"},
	    {"foo.service", "%y %Y %d", "/etc/x/foo.service /etc/x /run/credentials/foo.service"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct specifier_context c = {cases[i].unit, "/etc/x/foo.service"};
		CLEANUP_STR char *out = NULL;
		CHECK_INT(specifier_expand(cases[i].text, &c, SPECIFIER_NAME, SPECIFIER_WORDS, &out,
					   NULL),
			  0);
		CHECK_STR(out, cases[i].value);
	}
	struct specifier_context c = {"web.service", NULL};
	CLEANUP_STR char *out = NULL;
	CHECK_INT(specifier_expand("%t %S %C %L %E %T %V %u %U %h %% %p", &c, SPECIFIER_ALL,
				   SPECIFIER_PLAIN, &out, NULL),
		  0);
	CHECK_STR(out, "/run /var/lib /var/cache /var/log /etc /tmp /var/tmp root 0 /root % web");
	static const char host[] = "HlmbvaoqsABMwW";
	for (const char *h = host; *h; h++) {
		CLEANUP_STR char *value = NULL;
		CHECK_INT(specifier_expand((char[]){'%', *h, '\0'}, &c, SPECIFIER_ALL,
					   SPECIFIER_PLAIN, &value, NULL),
			  0);
	}
	struct reading x = read_text("foo@a b.service", "[Service]\nExecStart=/bin/x %i %Z %%s\n");
	CHECK_STR(x.spec->start.v[0].argv.v[1], "a b");
	CHECK_STR(x.spec->start.v[0].argv.v[2], "%Z");
	CHECK_STR(x.spec->start.v[0].argv.v[3], "%s");
	done(&x);
}

/* Wrong lines are noted and passed over, as systemd does. */
static void test_wrong(void)
{
	struct reading x =
	    read_text("x.service", "[Service]\nUser=a b\nnonsense\nExecStrat=/bin/x\n"
				   "[X-Own]\nA=b\n[Socket]\nListenStream=80\n"
				   "[Service]\nExecStart=/bin/x\n");

	CHECK_INT(x.r, 0);
	CHECK_INT(x.report.n, 6);
	CHECK_INT(find(&x, "User")->verdict, UNIT_NOT_TAKEN);
	CHECK_STR(find(&x, "User")->why, "User=: 'a b' is not the name or number of an account");
	CHECK_STR(find(&x, "nonsense")->why, "neither a [Section] nor KEY=VALUE");
	CHECK_STR(find(&x, "ExecStrat")->why,
		  "systemd 252 knows no such directive (did you mean ExecStart?)");
	CHECK_INT(find(&x, "A")->verdict, UNIT_REDUNDANT);
	CHECK_INT(find(&x, "ListenStream")->verdict, UNIT_NOT_TAKEN);
	CHECK_INT(x.spec->start.n, 1);
	done(&x);
	x = read_text("x.service", "[Service]\n[Ser\n");
	CHECK_INT(x.r, -EINVAL);
	CHECK_STR(x.e.msg,
		  "/lib/systemd/system/x.service:2: a section header is [NAME], nothing else");
	done(&x);
}

/* A host of our own below a scratch directory. */
static char root[] = "/tmp/immure-test-unit.XXXXXX";

static void make(const char *path, const char *text)
{
	CLEANUP_STR char *full = xasprintf("%s%s", root, path);
	CLEANUP_STR char *dir = path_parent(full);
	CLEANUP_STR char *mkdirs = xasprintf("mkdir -p '%s'", dir);

	CHECK(system(mkdirs) == 0);
	if (text[0] == '>') {
		CHECK(symlink(text + 1, full) == 0);
		return;
	}
	CLEANUP_FD int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	CHECK(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
}

#define ETC "/etc/systemd/system/"
#define LIB "/lib/systemd/system/"

static void make_host(void)
{
	CHECK(mkdtemp(root) != NULL);
	make(LIB "named.service", "[Service]\nExecStart=/usr/sbin/named -f\nUser=a\nGroup=%n\n");
	make(ETC "bind9.service", ">/lib/systemd/system/named.service");
	make(ETC "named.service.d/50.conf", "[Service]\nUser=b\n");
	make("/run/systemd/system/named.service.d/50.conf", "[Service]\nUser=hidden\n");
	make(LIB "named.service.d/60.conf", "[Service]\nUser=c\n");
	make(ETC "named.service.d/60.conf", ">/dev/null");
	make(ETC "named.service.d/zz-immure.conf", "[Service]\nExecStart=\nExecStart=immure\n");
	make(ETC "bind9.service.d/70.conf", "[Service]\nEnvironment=ALIAS=1\n");
	make(LIB "service.d/10-all.conf", "[Service]\nNice=5\n");
	make(LIB "named.service.d/readme", "[Service]\nNice=6\n");

	make(LIB "pg@.service", "[Service]\nExecStart=/bin/pg %i\n");
	make(ETC "pg@.service.d/a.conf", "[Service]\nUser=template\n");
	make(ETC "pg@two.service.d/b.conf", "[Service]\nUser=instance\n");
	make(ETC "db@.service", ">pg@.service");
	make(LIB "web-front-end.service", "[Service]\nExecStart=/bin/w\n");
	make(LIB "web-.service.d/a.conf", "[Service]\nUser=web\n");
	make(LIB "web-front-.service.d/a.conf", "[Service]\nUser=front\n");

	make(ETC "gone.service", ">/dev/null");
	make(ETC "empty.service", "");
	make(ETC "loop1.service", ">loop2.service");
	make(ETC "loop2.service", ">loop1.service");
	make(ETC "linked.service", ">/opt/x/linked.service");
	make("/opt/x/linked.service", "[Service]\nExecStart=/opt/x/linked\n");
	make(ETC "outside.service", ">/../../../../../../etc/passwd");
	make(ETC "dangling.service", ">/nowhere/dangling.service");
	make(LIB "dangling.service", "[Service]\nExecStart=/bin/behind\n");
}

static void test_load(void)
{
	struct reading x = read_unit(root, "bind9");
	CHECK_INT(x.r, 0);
	CHECK_STR(x.e.msg, "");
	CHECK_STR(x.spec->user, "b");
	CHECK_STR(x.spec->group, "named.service");
	CHECK_STR(x.spec->environment.v[0], "ALIAS=1");
	CHECK_STR(x.spec->start.v[0].argv.v[0], "/usr/sbin/named");
	CHECK_INT(x.spec->nice, 5);
	CHECK_STR(spec_find(x.spec, SPEC_SERVICE, "User")->origin, ETC "named.service.d/50.conf:2");
	done(&x);

	x = read_unit(root, "pg@two.service");
	CHECK_STR(x.spec->user, "instance");
	CHECK_STR(x.spec->start.v[0].argv.v[1], "two");
	done(&x);
	x = read_unit(root, "db@three");
	CHECK_STR(x.spec->user, "template");
	CHECK_STR(x.spec->start.v[0].argv.v[1], "three");
	done(&x);
	x = read_unit(root, "web-front-end");
	CHECK_STR(x.spec->user, "front");
	done(&x);
	x = read_unit(root, "linked");
	CHECK_STR(x.spec->start.v[0].argv.v[0], "/opt/x/linked");
	done(&x);
	x = read_unit(root, "dangling");
	CHECK_STR(x.spec->start.v[0].argv.v[0], "/bin/behind");
	done(&x);
}

static unsigned long long limit(const struct reading *x, int which)
{
	return x->spec->limit_set[which] ? x->spec->limits[which].rlim_cur : 0;
}

/* What the manager gives every service; the unit's own word wins, then the last drop-in. */
static void test_defaults(void)
{
	struct reading x = read_unit(root, "named");
	CHECK_INT(limit(&x, RLIMIT_NOFILE), 1024);
	CHECK_INT(limit(&x, RLIMIT_MEMLOCK), 8 << 20);
	CHECK_STR(spec_find(x.spec, SPEC_SERVICE, "LimitNOFILE")->origin, "systemd's default");
	CHECK(!env_get(&x.spec->environment, "LANG"));
	done(&x);

	make("/etc/default/locale", "# comment\nLANG=de_DE.UTF-8\nLC_TIME=\"C\"\nPATH=/evil\n");
	make("/etc/systemd/system.conf",
	     "[Manager]\nDefaultLimitNPROC=77\nDefaultLimitCORE=5\nDefaultEnvironment=A=1 \"B=2 "
	     "3\"\n"
	     "DefaultTimeoutStopSec=7s\n[Service]\nDefaultLimitRSS=1\n");
	make("/etc/systemd/system.conf.d/10.conf", "[Manager]\nDefaultLimitNPROC=78\n");
	make("/etc/systemd/system.conf.d/20.txt", "[Manager]\nDefaultLimitNPROC=79\n");
	make(LIB "own.service",
	     "[Service]\nExecStart=/bin/x\nLimitNPROC=9\nEnvironment=A=mine LC_TIME=fr\n");
	x = read_unit(root, "named");
	CHECK_INT(limit(&x, RLIMIT_NPROC), 78);
	CHECK_INT(limit(&x, RLIMIT_CORE), 5);
	CHECK(!x.spec->limit_set[RLIMIT_RSS]);
	CHECK_INT(x.spec->timeout_stop, 7);
	CHECK_STR(env_get(&x.spec->environment, "LANG"), "de_DE.UTF-8");
	CHECK_STR(env_get(&x.spec->environment, "B"), "2 3");
	CHECK(!env_get(&x.spec->environment, "PATH"));
	CHECK_STR(spec_find(x.spec, SPEC_SERVICE, "LimitNPROC")->origin,
		  "/etc/systemd/system.conf.d/10.conf:2");
	done(&x);
	x = read_unit(root, "own");
	CHECK_INT(limit(&x, RLIMIT_NPROC), 9);
	CHECK_STR(env_get(&x.spec->environment, "A"), "mine");
	CHECK_STR(env_get(&x.spec->environment, "LC_TIME"), "fr");
	CHECK_STR(env_get(&x.spec->environment, "LANG"), "de_DE.UTF-8");
	done(&x);

	make("/etc/locale.conf", "LANG=C.UTF-8\n");
	x = read_unit(root, "named");
	CHECK_STR(env_get(&x.spec->environment, "LANG"), "C.UTF-8");
	done(&x);
	make("/etc/systemd/system.conf", "[Manager\n");
	x = read_unit(root, "named");
	CHECK(x.r < 0 && strstr(x.e.msg, "system.conf"));
	done(&x);
}

static void test_load_errors(void)
{
	static const struct {
		const char *unit;
		int r;
		const char *part;
	} cases[] = {
	    {"naemd", -ENOENT,
	     "no unit naemd.service in /etc, /run, /usr/local/lib, /usr/lib or "
	     "/lib/systemd/system (did you mean named.service?)"},
	    {"gone", -ENOENT,
	     "unit gone.service is masked by " ETC "gone.service: systemctl unmask"},
	    {"empty", -ENOENT, "is masked"},
	    {"loop1", -ENOENT, "its alias leads to an alias"},
	    {"pg@", -EINVAL,
	     "pg@.service is a template; name an instance of it, such as pg@1.service"},
	    {"../named", -EINVAL, "'../named.service' is no name of a service unit"},
	    {"", -EINVAL, "is no name of a service unit"},
	    {"a\nb", -EINVAL, "'a?b.service' is no name"},
	    {"named.socket", -ENOENT, "no unit named.socket.service"},
	    {"outside", -ENOENT, "no unit outside.service"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct reading x = read_unit(root, cases[i].unit);
		CHECK_INT(x.r, cases[i].r);
		CHECK(strstr(x.e.msg, cases[i].part) != NULL);
		if (!strstr(x.e.msg, cases[i].part))
			printf("# %s\n", x.e.msg);
		done(&x);
	}
	struct reading x = read_unit("/nowhere/at/all", "named");
	CHECK_INT(x.r, -ENOENT);
	done(&x);
}

int main(void)
{
	test_redis();
	test_postgresql();
	test_debian();
	test_specifiers();
	test_wrong();
	make_host();
	test_load();
	test_load_errors();
	test_defaults();
	CLEANUP_STR char *clean = xasprintf("rm -rf '%s'", root);
	CHECK(system(clean) == 0);
	return check_done("unit");
}
