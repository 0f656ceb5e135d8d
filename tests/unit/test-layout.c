/* SPDX-License-Identifier: MIT */
/* The rules and layout_derive(), on records written by hand; host and world are directory trees of
 * the test's own. */
#include "jail/layout.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "fs-scratch.h"
#include "host/places.h"
#include "jail/boot-dirs.h"

#define ROWS 12

struct given {
	const char *path;
	unsigned kinds;
	mode_t found;
};

struct pair {
	const char *from, *to;
};

/* A path ending in "/" is a directory. */
struct scene {
	const char *name;
	const char *host[ROWS];	 /* on the host, and in the world; "link -> target" is a link */
	const char *world[ROWS]; /* in the world only: made by the run */
	struct given touched[ROWS];
	struct pair pairs[4];
	const char *section_key[4][2]; /* of [Jail] or [Service], "State", "/x" */
	const char *taken;	       /* another jail's state */
	const char *had;	       /* this one's, before */
	const char *withheld;	       /* how what it is kept from begins */
	bool root;		       /* the host's files must be root's */
	const char *want[ROWS]; /* "path class", with "w" writable, "f" file, "c" to be created, "l"
				   link */
	const char *own[4];	/* names inside of provisions */
};

#define MADE   (TOUCH_READ | TOUCH_WRITE | TOUCH_MAKE)
#define READ   TOUCH_READ
#define WRITE  TOUCH_WRITE
#define CREAT  (TOUCH_WRITE | TOUCH_MAKE)
#define REMOVE TOUCH_REMOVE

static const struct scene scenes[] = {
    {.name = "nothing", .want = {NULL}},
    {
	.name = "a database",
	.host = {"/var/lib/db/data/", "/var/lib/db/data/file", "/usr/lib/x/"},
	.world = {"/var/lib/db/data/new"},
	.touched = {{"/var/lib/db/data/file", READ | WRITE, S_IFREG},
		    {"/var/lib/db/data/new", MADE, 0},
		    {"/usr/lib/x", READ, S_IFDIR}},
	.want = {"/var/lib/db/data state w"},
    },
    {
	.name = "several places of one home are joined",
	.host = {"/var/lib/db/a/", "/var/lib/db/b/", "/var/lib/other/"},
	.world = {"/var/lib/db/a/1", "/var/lib/db/b/2"},
	.touched = {{"/var/lib/db/a/1", CREAT, 0}, {"/var/lib/db/b/2", CREAT, 0}},
	.want = {"/var/lib/db state w"},
    },
    {
	.name = "homes of two are not",
	.host = {"/var/lib/db/", "/var/lib/other/"},
	.world = {"/var/lib/db/1", "/var/lib/other/2"},
	.touched = {{"/var/lib/db/1", CREAT, 0}, {"/var/lib/other/2", CREAT, 0}},
	.want = {"/var/lib/db state w", "/var/lib/other state w"},
    },
    {
	.name = "logs: a directory of its own, and a file in everybody's",
	.host = {"/var/log/web/", "/var/log/"},
	.world = {"/var/log/web/access", "/var/log/one.log"},
	.touched = {{"/var/log/web/access", CREAT, 0}, {"/var/log/one.log", CREAT, 0}},
	.want = {"/var/log/one.log log wfc", "/var/log/web log w"},
    },
    {
	.name = "/run: a directory is offered, a file is private",
	.host = {"/run/"},
	.world = {"/run/web/", "/run/web/web.pid", "/run/web.pid"},
	.touched = {{"/run/web", TOUCH_MAKE, 0},
		    {"/run/web/web.pid", CREAT, 0},
		    {"/run/web.pid", CREAT, 0}},
	.want = {"/run/web offered wc"},
    },
    {
	.name = "/tmp is private, whatever is made there",
	.host = {"/tmp/", "/var/tmp/"},
	.world = {"/tmp/x", "/tmp/d/", "/tmp/d/y", "/var/tmp/z"},
	.touched = {{"/tmp/x", CREAT, 0},
		    {"/tmp/d", TOUCH_MAKE, 0},
		    {"/tmp/d/y", CREAT, 0},
		    {"/var/tmp/z", CREAT, 0}},
	.want = {NULL},
    },
    {
	.name = "attempts that came to nothing",
	.host = {"/srv/site/", "/srv/site/page", "/var/lib/x/"},
	.touched = {{"/srv/site/page", READ, S_IFREG},
		    {"/var/lib/x/lock", CREAT, 0},	  /* refused: not there afterwards */
		    {"/var/lib/x", TOUCH_MAKE, S_IFDIR}}, /* mkdir: EEXIST */
	.want = {"/srv/site content"},
    },
    {
	.name = "what was made and removed again was written",
	.host = {"/var/lib/x/"},
	.touched = {{"/var/lib/x/tmp", CREAT | REMOVE, 0}},
	.want = {"/var/lib/x state w"},
    },
    {
	.name = "never as a whole: only the file",
	.host = {"/etc/", "/etc/mtab2", "/var/lib/", "/var/lib/counter"},
	.touched = {{"/etc/mtab2", READ | WRITE, S_IFREG}, {"/var/lib/counter", WRITE, S_IFREG}},
	.want = {"/etc/mtab2 state wf", "/var/lib/counter state wf"},
    },
    {
	.name = "program trees are nobody's to write",
	.host = {"/usr/lib/p/", "/usr/lib/p/cache"},
	.world = {"/usr/lib/p/new"},
	.touched = {{"/usr/lib/p/cache", WRITE, S_IFREG}, {"/usr/lib/p/new", CREAT, 0}},
	.want = {NULL},
    },
    {
	.name = "configuration: a directory of its own, not shared ones, not single files",
	.host = {"/etc/web/", "/etc/web/sites/", "/etc/web/sites/one", "/etc/passwd",
		 "/etc/ssl/certs/", "/etc/ssl/certs/ca"},
	.touched = {{"/etc/web/sites/one", READ, S_IFREG},
		    {"/etc/passwd", READ, S_IFREG},
		    {"/etc/ssl/certs/ca", READ, S_IFREG}},
	.want = {"/etc/web config"},
    },
    {
	.name = "content: looked at is not read; a link is no content",
	.host = {"/srv/a/", "/srv/a/x", "/srv/b/", "/srv/b/x", "/home/u/www/", "/home/u/www/i",
		 "/data/", "/data/set/", "/data/set/1"},
	.touched = {{"/srv/a/x", READ, S_IFREG},
		    {"/srv/b/x", TOUCH_LOOK, S_IFREG},
		    {"/srv/b", TOUCH_LINK, S_IFLNK},
		    {"/home/u/www/i", READ, S_IFREG},
		    {"/data/set/1", READ, S_IFREG}},
	.want = {"/data/set content", "/home/u/www content", "/srv/a content"},
    },
    {
	.name = "written content is state, once",
	.host = {"/srv/a/", "/srv/a/x", "/srv/a/up/", "/srv/a/up/1"},
	.world = {"/srv/a/up/2"},
	.touched = {{"/srv/a/x", READ, S_IFREG},
		    {"/srv/a/up/1", READ, S_IFREG},
		    {"/srv/a/up/2", CREAT, 0}},
	.want = {"/srv/a content", "/srv/a/up state w"},
    },
    {
	.name = "renamed between two written trees: one mount",
	.host = {"/srv/q/", "/srv/q/in/", "/srv/q/out/"},
	.world = {"/srv/q/in/1", "/srv/q/out/1"},
	.touched = {{"/srv/q/in/1", CREAT | REMOVE, 0}, {"/srv/q/out/1", TOUCH_MAKE, 0}},
	.pairs = {{"/srv/q/in", "/srv/q/out"}},
	.want = {"/srv/q state w"},
    },
    {
	.name = "not across what belongs to everybody",
	.host = {"/srv/q/", "/opt/r/"},
	.world = {"/srv/q/1", "/opt/r/1"},
	.touched = {{"/srv/q/1", CREAT | REMOVE, 0}, {"/opt/r/1", TOUCH_MAKE, 0}},
	.pairs = {{"/srv/q", "/opt/r"}},
	.want = {"/opt/r state w", "/srv/q state w"},
    },
    {
	.name = "/sys by the file",
	.host = {"/sys/", "/sys/devices/", "/sys/devices/cpu/", "/sys/devices/cpu/online"},
	.touched = {{"/sys/devices/cpu/online", READ, S_IFREG},
		    {"/sys/devices/cpu", TOUCH_LIST, S_IFDIR},
		    {"/sys/devices", TOUCH_LOOK, S_IFDIR}},
	.want = {"/sys/devices/cpu kernel"},
    },
    {
	.name = "the spec's own words",
	.host = {"/var/lib/mine/", "/srv/c/", "/srv/c/x"},
	.touched = {{"/srv/c/x", READ, S_IFREG}},
	.section_key = {{"State", "/var/lib/mine"}, {"Offer", "/run/mine"}, {"Content", "/srv/c"}},
	.want = {"/run/mine offered wc", "/srv/c content", "/var/lib/mine state w"},
    },
    {
	.name = "a directory owner's mode change counts as writing",
	.host = {"/var/lib/m/"},
	.touched = {{"/var/lib/m", TOUCH_CHANGE, S_IFDIR}},
	.want = {"/var/lib/m state w"},
    },
    {
	.name = "a socket in a directory of its own, and in everybody's",
	.host = {"/run/", "/run/s/"},
	.world = {"/run/s/sock", "/run/sock"},
	.touched = {{"/run/s/sock", TOUCH_BIND | TOUCH_MAKE, 0},
		    {"/run/sock", TOUCH_BIND | TOUCH_MAKE, 0}},
	.want = {"/run/s offered wc"},
    },
    {
	.name = "a link to content is followed; both it and where it leads are in the jail",
	.host = {"/data/sites/1/", "/data/sites/1/page", "/srv/", "/srv/site -> ../data/sites/1"},
	.touched = {{"/srv/site", TOUCH_LINK, S_IFLNK}, {"/data/sites/1/page", READ, S_IFREG}},
	.want = {"/data/sites content", "/srv/site content l"},
    },
    {
	.name = "not one in /etc, in a program tree, to a file, to what is no content, or unused",
	.host = {"/data/a/f", "/etc/l -> /data/a", "/usr/l -> /data/a", "/srv/f -> /data/a/f",
		 "/srv/p -> /usr", "/srv/u -> /data/a", "/srv/gone -> /nowhere"},
	.touched = {{"/etc/l", TOUCH_LINK, S_IFLNK},
		    {"/usr/l", TOUCH_LINK, S_IFLNK},
		    {"/srv/f", TOUCH_LINK, S_IFLNK},
		    {"/srv/p", TOUCH_LINK, S_IFLNK},
		    {"/srv/u", TOUCH_LOOK, S_IFLNK},
		    {"/srv/gone", TOUCH_LINK, S_IFLNK}},
	.want = {NULL},
    },
    {
	.name = "a link inside of content: its end is bound too, and it is remembered",
	.host = {"/srv/a/f", "/srv/a/current -> /data/x/7", "/data/x/7/"},
	.touched = {{"/srv/a/f", READ, S_IFREG},
		    {"/srv/a/current", TOUCH_LINK, S_IFLNK},
		    {"/data/x/7", TOUCH_LOOK, S_IFDIR}},
	.want = {"/data/x content", "/srv/a content"},
	.own = {"/srv/a/current"},
    },
    {
	.name = "the prefix of a program that no package owns, and what it writes there",
	.host = {"/usr/local/web/sbin/web", "/usr/local/web/logs/", "/usr/local/bin/tool"},
	.world = {"/usr/local/web/logs/log"},
	.touched = {{"/usr/local/web/sbin/web", TOUCH_EXEC, S_IFREG},
		    {"/usr/local/bin/tool", TOUCH_EXEC, S_IFREG},
		    {"/usr/local/web/logs/log", CREAT, 0}},
	.want = {"/usr/local/web content", "/usr/local/web/logs state w"},
    },
    {
	.name = "another jail's state gives only the files that are written in place",
	.host = {"/var/lib/theirs/f", "/var/lib/theirs/g"},
	.taken = "/var/lib/theirs",
	.touched = {{"/var/lib/theirs/f", WRITE, S_IFREG}, {"/var/lib/theirs/g", READ, S_IFREG}},
	.want = {"/var/lib/theirs/f state wf"},
    },
    {
	.name = "and is kept from what no file can be bound for, which is told once",
	.root = true,
	.host = {"/var/lib/theirs/body/", "/var/lib/theirs/proxy/"},
	.taken = "/var/lib/theirs",
	.touched = {{"/var/lib/theirs/body", TOUCH_CHANGE, S_IFDIR},
		    {"/var/lib/theirs/proxy", TOUCH_CHANGE, S_IFDIR}},
	.withheld = "/var/lib/theirs is the state of jail other (State=/var/lib/theirs in [Jail]",
    },
    {
	.name = "but what it has had before it keeps",
	.root = true,
	.host = {"/var/lib/ours/body/"},
	.taken = "/var/lib/ours",
	.had = "/var/lib/ours",
	.touched = {{"/var/lib/ours/body", TOUCH_CHANGE, S_IFDIR}},
	.want = {"/var/lib/ours/body state w"},
    },
    {
	.name = "but files that come and go need their directory",
	.host = {"/var/lib/theirs/f"},
	.taken = "/var/lib/theirs",
	.touched = {{"/var/lib/theirs/f", WRITE | REMOVE, S_IFREG}},
	.want = {"/var/lib/theirs state w"},
    },
    {
	.name = "written configuration: what is only read there stays as it is",
	.root = true,
	.host = {"/etc/dns/conf", "/etc/dns/zone"},
	.world = {"/etc/dns/zone.jnl"},
	.touched = {{"/etc/dns/conf", READ, S_IFREG},
		    {"/etc/dns/zone", READ | WRITE, S_IFREG},
		    {"/etc/dns/zone.jnl", CREAT, 0}},
	.want = {"/etc/dns state w", "/etc/dns/conf config f"},
    },
    {
	.name = "unless the spec wants the directory written",
	.host = {"/etc/dns/conf", "/etc/dns/zone"},
	.touched = {{"/etc/dns/conf", READ, S_IFREG}, {"/etc/dns/zone", READ | WRITE, S_IFREG}},
	.section_key = {{"State", "/etc/dns"}},
	.want = {"/etc/dns state w"},
    },
    {
	.name = "Config= of a file is a copy, of a directory a mount; Secret= is the service's",
	.host = {"/etc/my.cnf", "/srv/conf/", "/srv/key"},
	.section_key = {{"Config", "/etc/my.cnf"}, {"Config", "/srv/conf"}, {"Secret", "/srv/key"}},
	.want = {"/srv/conf config"},
	.own = {"/srv/key"},
    },
    {
	.name = "a link that the spec names as content is followed, one to state is what it means",
	.host = {"/data/x/1/", "/data/s/", "/srv/c -> /data/x/1", "/srv/s -> /data/s"},
	.section_key = {{"Content", "/srv/c"}, {"State", "/srv/s"}},
	.want = {"/data/s state w", "/srv/c content l"},
    },
};

static void put(int fd, const char *path)
{
	char *at = strdupa(path + 1);
	char *target = strstr(at, " -> ");
	bool dir = at[strlen(at) - 1] == '/';

	if (target)
		*target = '\0';

	if (dir)
		at[strlen(at) - 1] = '\0';
	char *slash = strrchr(at, '/');
	if (slash) {
		*slash = '\0';
		CHECK_INT(beneath_mkdirs(fd, at, 0755), 0);
		*slash = '/';
	}
	if (dir)
		CHECK_INT(beneath_mkdirs(fd, at, 0755), 0);
	else if (target)
		CHECK_INT(symlinkat(target + 4, fd, at), 0);
	else
		put_file(fd, at, "x");
}

static int subdir(struct scratch *s, const char *name)
{
	CHECK_INT(mkdirat(s->fd, name, 0755), 0);
	return openat(s->fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void fill(const struct scene *sc, int host, int world, struct record *r, struct spec *spec)
{
	for (size_t i = 0; i < ROWS && sc->host[i]; i++) {
		put(host, sc->host[i]);
		put(world, sc->host[i]);
	}
	for (size_t i = 0; i < ROWS && sc->world[i]; i++)
		put(world, sc->world[i]);
	for (size_t i = 0; i < ROWS && sc->touched[i].path; i++) {
		struct touch *t = record_get(r, sc->touched[i].path);
		t->kinds = sc->touched[i].kinds;
		t->found = sc->touched[i].found;
	}
	for (size_t i = 0; i < 4 && sc->pairs[i].from; i++)
		record_pairing(r, sc->pairs[i].from, sc->pairs[i].to);
	for (size_t i = 0; i < 4 && sc->section_key[i][0]; i++)
		CHECK_INT(spec_set(spec, SPEC_JAIL, sc->section_key[i][0], sc->section_key[i][1],
				   "test", NULL),
			  0);
}

static char *row_text(const struct provision *p)
{
	const char *flags = p->writable || p->file || p->create || p->link ? " " : "";

	return xasprintf("%s %s%s%s%s%s%s", p->path, class_name(p->class), flags,
			 p->writable ? "w" : "", p->file ? "f" : "", p->create ? "c" : "",
			 p->link ? "l" : "");
}

static void check_layout(const struct layout *l, const struct scene *sc)
{
	size_t want = 0;

	while (want < ROWS && sc->want[want])
		want++;
	CHECK_INT(l->n, want);
	for (size_t i = 0; i < l->n; i++) {
		CLEANUP_STR char *got = row_text(&l->v[i]);
		CHECK_STR(got, i < want ? sc->want[i] : "");
		CHECK(l->v[i].why && *l->v[i].why);
	}
	for (want = 0; want < 4 && sc->own[want];)
		CHECK(strv_has(&l->own, sc->own[want++]));
	CHECK_INT(l->own.n, want);
}

static void check_scene(const struct scene *sc)
{
	struct scratch s = scratch_new();
	struct record *r CLEANUP_RECORD = record_new();
	struct spec *spec CLEANUP_SPEC = spec_new("t");
	struct layout l CLEANUP_LAYOUT = LAYOUT_INIT;
	struct err e = {0};
	int before = check_failed;
	CLEANUP_FD int host = subdir(&s, "host");
	CLEANUP_FD int world = subdir(&s, "world");

	fill(sc, host, world, r, spec);
	if (sc->taken) {
		strv_add(&l.taken, sc->taken);
		strv_add(&l.takers, "other");
	}
	if (sc->had)
		strv_add(&l.had, sc->had);
	CHECK_INT(layout_derive(&l, r, spec, host, world, &e) >= 0, 1);
	check_layout(&l, sc);
	/* Growing again on the same evidence discovers nothing new: else it would never end. */
	CHECK_INT(layout_derive(&l, r, spec, host, world, &e), 0);
	check_layout(&l, sc);
	struct strv withheld CLEANUP_STRV = STRV_INIT;
	layout_withheld(&l, &withheld);
	CHECK_INT(withheld.n, sc->withheld != NULL);
	CHECK(!sc->withheld || (withheld.n && str_after(withheld.v[0], sc->withheld)));
	if (check_failed != before)
		printf("# scene: %s %s\n", sc->name, e.msg);
	scratch_done(&s);
}

static void test_rules(void)
{
	static const struct {
		const char *path;
		bool never_whole, shared, private, program, kernel;
		const char *home, *content;
	} rows[] = {
	    {"/", true, false, false, false, false, NULL, NULL},
	    {"/etc", true, false, false, false, false, NULL, NULL},
	    {"/etc/ssl/private", false, true, false, false, false, NULL, NULL},
	    {"/etc/sslx", false, false, false, false, false, NULL, NULL},
	    {"/usr/lib/x", false, false, false, true, false, NULL, NULL},
	    {"/usrlocal", false, false, false, false, false, NULL, NULL},
	    {"/run/x", false, false, true, false, false, "/run", NULL},
	    {"/var/lib/x/y", false, false, false, false, false, "/var/lib", NULL},
	    {"/var/tmp/x/y", false, false, true, false, false, NULL, "/var/tmp/x"},
	    {"/proc/1", false, false, false, false, true, NULL, NULL},
	    {"/dev/shm/x", false, false, true, false, true, NULL, NULL},
	    {"/home/u/www/a/b", false, false, false, false, false, NULL, "/home/u/www"},
	    {"/home/u/file", false, false, false, false, false, NULL, NULL},
	    {"/srv/site/a", false, false, false, false, false, NULL, "/srv/site"},
	    {"/data/a/b/c", false, false, false, false, false, NULL, "/data/a"},
	    {"/data/a", false, false, false, false, false, NULL, "/data"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *p = rows[i].path;
		CLEANUP_STR char *content = place_content_dir(p);
		int before = check_failed;
		CHECK_INT(place_never_whole(p), rows[i].never_whole);
		CHECK_INT(place_shared_config(p), rows[i].shared);
		CHECK_INT(place_private_area(p), rows[i].private);
		CHECK_INT(place_program_tree(p), rows[i].program);
		CHECK_INT(place_kernel_tree(p), rows[i].kernel);
		CHECK_STR(place_home_base(p), rows[i].home);
		CHECK_STR(content, rows[i].content);
		if (check_failed != before)
			printf("# of %s\n", p);
	}
}

static void test_find(void)
{
	static char root[] = "/srv", inner[] = "/srv/a/b", file[] = "/srv/f";
	struct provision v[] = {{.path = root}, {.path = inner}, {.path = file, .file = true}};
	const struct layout l = {.v = v, .n = ARRAY_LEN(v)};

	CHECK(layout_find(&l, "/srv/a") == &v[0]);
	CHECK(layout_find(&l, "/srv/a/b") == &v[1]);
	CHECK(layout_find(&l, "/srv/a/b/c") == &v[1]);
	CHECK(layout_find(&l, "/srv/a/bc") == &v[0]);
	CHECK(layout_find(&l, "/srv/f") == &v[2]);
	CHECK(layout_find(&l, "/srv/f/x") == &v[0]);
	CHECK(layout_find(&l, "/srvx") == NULL);
}

static struct provision to_make(char *path, bool file, mode_t mode)
{
	return (struct provision){.path = path,
				  .create = true,
				  .file = file,
				  .mode = mode,
				  .uid = geteuid(),
				  .gid = getegid()};
}

static void test_create(void)
{
	static char dir[] = "/run/x", file[] = "/var/log/one", there[] = "/var/kept";
	struct provision v[] = {to_make(dir, false, 01770), to_make(there, false, 0700),
				to_make(file, true, 0640)};
	const struct layout l = {.v = v, .n = ARRAY_LEN(v)};
	struct strv made CLEANUP_STRV = STRV_INIT;
	struct scratch s = scratch_new();
	struct stat st;

	put(s.fd, "/var/kept/");
	CHECK_INT(layout_create(&l, s.fd, &made, NULL), 0);
	CHECK(fstatat(s.fd, "run/x", &st, 0) == 0 && st.st_mode == (S_IFDIR | 01770));
	CHECK(fstatat(s.fd, "var/log/one", &st, 0) == 0 && st.st_mode == (S_IFREG | 0640));
	CHECK(fstatat(s.fd, "var/kept", &st, 0) == 0 && st.st_mode == (S_IFDIR | 0755));
	CHECK(strv_has(&made, dir) && strv_has(&made, file) && !strv_has(&made, there));
	size_t n = made.n;
	CHECK_INT(layout_create(&l, s.fd, &made, NULL), 0); /* a second time changes nothing */
	CHECK_INT(made.n, n);
	scratch_done(&s);
}

/* A link on the way, or in the place itself, is followed nowhere. */
static void test_create_trapped(void)
{
	static char below[] = "/evil/x", deep[] = "/run/evil/a/b";
	struct provision v[] = {to_make(below, false, 0700), to_make(deep, true, 0700)};
	struct scratch s = scratch_new();

	put(s.fd, "/outside/");
	put(s.fd, "/root/outside/");
	put(s.fd, "/root/run/");
	CLEANUP_FD int root = openat(s.fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(symlinkat("../outside", root, "evil"), 0);
	CHECK_INT(symlinkat("/outside", root, "run/evil"), 0);
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		const struct layout l = {.v = &v[i], .n = 1};
		struct err e = {0};
		CHECK_INT(layout_create(&l, root, NULL, &e), -ELOOP);
		CHECK(strstr(e.msg, v[i].path));
	}
	CHECK(!exists(s.fd, "outside/x") && !exists(root, "outside/x"));
	CHECK(!exists(s.fd, "outside/a") && !exists(root, "outside/a"));
	scratch_done(&s);
}

static void test_json(void)
{
	struct layout back CLEANUP_LAYOUT = LAYOUT_INIT, bad CLEANUP_LAYOUT = LAYOUT_INIT;
	static char path[] = "/srv/a b", why[] = "because", source[] = "/var/lib/q";
	struct provision v[] = {{.path = path,
				 .source = source,
				 .class = CLASS_OFFERED,
				 .writable = true,
				 .create = true,
				 .link = true,
				 .mode = 02755,
				 .uid = 65534,
				 .gid = 7,
				 .why = why}};
	struct layout l = {.v = v, .n = ARRAY_LEN(v)};
	layout_own(&l, "/srv/link");
	layout_own(&l, "/srv/link");
	CHECK_INT(l.own.n, 1);
	json_t *j = layout_to_json(&l);

	CHECK_INT(layout_from_json(&back, j), 0);
	CHECK_INT(back.n, 1);
	CHECK(strv_has(&back.own, "/srv/link"));
	if (back.n) {
		CHECK_STR(back.v[0].path, v[0].path);
		CHECK_STR(back.v[0].why, v[0].why);
		CHECK_INT(back.v[0].class, v[0].class);
		CHECK(back.v[0].link);
		CHECK_STR(provision_source(&back.v[0]), source);
		CHECK_INT(back.v[0].writable << 2 | back.v[0].file << 1 | back.v[0].create, 5);
		CHECK_INT(back.v[0].mode, v[0].mode);
		CHECK_INT(back.v[0].uid, v[0].uid);
		CHECK_INT(back.v[0].gid, v[0].gid);
	}
	/* Generations of before have no links, and nothing that stands elsewhere. */
	json_object_del(json_array_get(j, 0), "link");
	json_object_del(json_array_get(j, 0), "source");
	layout_done(&back);
	CHECK_INT(layout_from_json(&back, j), 0);
	CHECK(back.n == 1 && !back.v[0].link);
	json_object_set_new(json_array_get(j, 0), "path", json_string("relative"));
	CHECK_INT(layout_from_json(&bad, j), -EBADMSG);
	json_decref(j);
	layout_done(&(struct layout){.own = l.own});
}

/* A link may be turned to other content, not to anything. */
static void test_follow(void)
{
	static const struct {
		const char *target;
		int want;
	} rows[] = {
	    {"/data/x/1", 0}, {"../data/x/1", 0},   {"/data/x/f", -ENOTDIR}, {"/gone", -ENOENT},
	    {"/etc", -EPERM}, {"/etc/web", -EPERM}, {"/root/x", -EPERM},     {"/srv", -EPERM},
	};
	static char path[] = "/srv/site";
	const struct provision p = {.path = path, .link = true};
	struct scratch s = scratch_new();
	static const char *const there[] = {"/data/x/1/", "/data/x/f", "/etc/web/", "/root/x/",
					    "/srv/"};

	for (size_t i = 0; i < ARRAY_LEN(there); i++)
		put(s.fd, there[i]);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_STR char *end = NULL;
		struct stat st;
		CHECK_INT(symlinkat(rows[i].target, s.fd, "srv/site"), 0);
		CHECK_INT(layout_follow(&p, s.fd, &end, &st), rows[i].want);
		CHECK_STR(end, rows[i].want ? NULL : "/data/x/1");
		CHECK_INT(unlinkat(s.fd, "srv/site", 0), 0);
	}
	scratch_done(&s);
}

static void test_strays(void)
{
	static char site[] = "/srv/a";
	struct provision v[] = {{.path = site, .class = CLASS_CONTENT}};
	struct layout l = {.v = v, .n = ARRAY_LEN(v)};
	struct strv lines CLEANUP_STRV = STRV_INIT;
	struct scratch s = scratch_new();

	put(s.fd, "/srv/a/1/");
	put(s.fd, "/data/x/2/");
	put(s.fd, "/usr/lib/y/");
	put(s.fd, "/srv/a/in -> 1");
	put(s.fd, "/srv/a/out -> /data/x/2");
	put(s.fd, "/srv/a/program -> /usr/lib/y");
	layout_own(&l, "/srv/a/in");
	layout_own(&l, "/srv/a/out");
	layout_own(&l, "/srv/a/program");
	layout_own(&l, "/srv/a/gone");
	layout_strays(&l, s.fd, &lines);
	CHECK_INT(lines.n, 1);
	CHECK_STR(lines.n ? lines.v[0] : NULL,
		  "/srv/a/out leads to /data/x/2, which is not in the jail");
	layout_done(&(struct layout){.own = l.own});
	scratch_done(&s);
}

/* What a later run writes after all is kept no longer, and the growth is run again. */
static void test_unkeep(void)
{
	struct layout l CLEANUP_LAYOUT = LAYOUT_INIT;
	struct record *r CLEANUP_RECORD = record_new();
	struct spec *spec CLEANUP_SPEC = spec_new("t");
	struct scratch s = scratch_new();

	if (skip_unless(geteuid() == 0, "unkeep: the files must be root's"))
		return scratch_done(&s);
	put(s.fd, "/etc/dns/zone");
	put(s.fd, "/etc/dns/conf");
	record_get(r, "/etc/dns/zone")->kinds = READ | WRITE;
	record_get(r, "/etc/dns/conf")->kinds = READ;
	record_get(r, "/etc/dns/zone")->found = record_get(r, "/etc/dns/conf")->found = S_IFREG;
	CHECK_INT(layout_derive(&l, r, spec, s.fd, s.fd, NULL), 2);
	CHECK_INT(l.n, 2);
	record_get(r, "/etc/dns/conf")->kinds |= WRITE;
	CHECK(layout_derive(&l, r, spec, s.fd, s.fd, NULL) > 0);
	CHECK_INT(l.n, 1);
	CHECK_INT(layout_derive(&l, r, spec, s.fd, s.fd, NULL), 0);
	scratch_done(&s);
}

static void test_spec_class(void)
{
	struct spec *spec CLEANUP_SPEC = spec_new("t");

	CHECK_INT(spec_set(spec, SPEC_JAIL, "Secret", "/etc/keys", "test", NULL), 0);
	CHECK_INT(spec_set(spec, SPEC_JAIL, "Config", "/opt/my.cnf", "test", NULL), 0);
	CHECK_INT(layout_spec_class(spec, "/etc/keys/a", CLASS_CONFIG), CLASS_SECRET);
	CHECK_INT(layout_spec_class(spec, "/etc/keysx", CLASS_CONFIG), CLASS_CONFIG);
	CHECK_INT(layout_spec_class(spec, "/opt/my.cnf", CLASS_PROGRAM), CLASS_CONFIG);
	CHECK_INT(layout_spec_class(spec, "/opt/my.cnf", CLASS_SECRET), CLASS_SECRET);
	CHECK_INT(layout_spec_class(spec, "/opt", CLASS_PROGRAM), CLASS_PROGRAM);
}

/* What a boot makes and the host does not have now is made as a boot makes it. */
static void test_boot(void)
{
	struct layout l CLEANUP_LAYOUT = LAYOUT_INIT;
	struct spec *spec CLEANUP_SPEC = spec_new("t");
	struct scratch s = scratch_new();
	struct boot_dir b;

	CHECK_INT(beneath_mkdirs(s.fd, "/usr/lib/tmpfiles.d", 0755), 0);
	CHECK_INT(beneath_mkdirs(s.fd, "/etc/tmpfiles.d", 0755), 0);
	put_file(s.fd, "etc/passwd", "root:x:0:0::/:/x\nweb:x:81:82::/:/x\n");
	put_file(s.fd, "etc/group", "root:x:0:\nwww:x:83:\n");
	put_file(s.fd, "usr/lib/tmpfiles.d/b.conf", "d /run/x 2750 web www -\n");
	put_file(s.fd, "usr/lib/tmpfiles.d/c.conf", "d /run/x 0700\nd /run/y 0711 9 nobody\n");
	put_file(s.fd, "usr/lib/tmpfiles.d/d.conf", "d /run/z 0700\n");
	put_file(s.fd, "usr/lib/tmpfiles.d/e.txt", "d /run/u 0700\n");
	put_file(s.fd, "etc/tmpfiles.d/d.conf", "# nothing\n");
	CHECK(boot_dir_find(s.fd, "/run/x", &b) && b.mode == 02750 && b.uid == 81 && b.gid == 83);
	CHECK(boot_dir_find(s.fd, "/run/y", &b) && b.mode == 0711 && b.uid == 9 && b.gid == 0);
	CHECK(!boot_dir_find(s.fd, "/run/z", &b));
	CHECK(!boot_dir_find(s.fd, "/run/u", &b));
	CHECK_INT(spec_set(spec, SPEC_JAIL, "Offer", "/run/x", "test", NULL), 0);
	CHECK_INT(layout_derive(&l, NULL, spec, s.fd, s.fd, NULL), 1);
	CHECK(l.n == 1 && l.v[0].create && l.v[0].mode == 02750 && l.v[0].uid == 81 &&
	      l.v[0].gid == 83);
	scratch_done(&s);
}

int main(void)
{
	test_rules();
	for (size_t i = 0; i < ARRAY_LEN(scenes); i++)
		if (!scenes[i].root || geteuid() == 0)
			check_scene(&scenes[i]);
	test_find();
	test_create();
	test_create_trapped();
	test_json();
	test_follow();
	test_strays();
	test_boot();
	test_spec_class();
	test_unkeep();
	return check_done("layout");
}
