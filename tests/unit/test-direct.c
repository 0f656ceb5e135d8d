/* SPDX-License-Identifier: MIT */
#include "jail/direct.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/path.h"
#include "fs-scratch.h"
#include "jail/helpers.h"

static void execute(struct record *r, const char *exe, const char *words, const char *env)
{
	struct execution x = {.program = xstrdup(exe), .exe = xstrdup(exe), .cwd = xstrdup("/srv")};

	strv_split(&x.argv, words, " ");
	strv_split(&x.env, env, " ");
	record_execution(r, &x);
}

static struct command_set started(const char *words, const char *env)
{
	struct command_set c = COMMAND_SET_INIT;

	strv_split(&c.main.argv, words, " ");
	strv_split(&c.env, env, " ");
	c.main.program = xstrdup(c.main.argv.v[0]);
	c.cwd = xstrdup("/");
	return c;
}

/* The last execution of the program at rest counts; what the shell keeps for itself does not. */
static void test_settle(void)
{
	struct record *r CLEANUP_RECORD = record_new();
	struct command_set c CLEANUP_COMMAND_SET =
	    started("/bin/wrap go", "PATH=/bin SECRET=1 GONE=2");
	struct direct d = {.program = xstrdup("/sbin/d"), .uid = 7, .gid = 8};

	execute(r, "/bin/wrap", "/bin/wrap go", "PATH=/bin");
	execute(r, "/sbin/d", "/sbin/d --check", "PATH=/bin");
	execute(r, "/sbin/d", "/sbin/d -f", "PATH=/bin SECRET=1 NEW=3 SHLVL=1 _=/sbin/d");
	direct_settle(&d, r, &c);
	CHECK_STR(d.program, "/sbin/d");
	CHECK_INT(d.argv.n, 2);
	CHECK_STR(d.argv.v[1], "-f");
	CHECK_INT(d.env.n, 1);
	CHECK_STR(d.env.v[0], "NEW=3");
	CHECK_INT(d.unset.n, 1);
	CHECK_STR(d.unset.v[0], "GONE");
	CHECK_STR(d.cwd, "/srv");

	direct_apply(&d, &c);
	CHECK_STR(c.main.program, "/sbin/d");
	CHECK_STR(c.main.argv.v[1], "-f");
	CHECK_INT(c.account.uid, 7);
	CHECK_STR(c.cwd, "/srv");
	CHECK(strv_has(&c.env, "NEW=3") && strv_has(&c.env, "SECRET=1") &&
	      !strv_has(&c.env, "GONE=2"));
	direct_done(&d);
}

/* Who was not started as root stays who he was. */
static void test_ids(void)
{
	struct record *r CLEANUP_RECORD = record_new();
	struct command_set c CLEANUP_COMMAND_SET = started("/bin/wrap", "");
	struct direct d = {.program = xstrdup("/sbin/d"), .uid = 0, .gid = 0};

	c.account.uid = 33;
	c.account.gid = 34;
	c.account.groups[c.account.n_groups++] = 35;
	execute(r, "/sbin/d", "/sbin/d", "");
	direct_settle(&d, r, &c);
	CHECK_INT(d.uid, 33);
	CHECK_INT(d.gid, 34);
	CHECK_INT(d.n_groups, 1);
	CHECK_INT(d.groups[0], 35);
	direct_done(&d);
}

static void test_nothing_learnt(void)
{
	struct record *r CLEANUP_RECORD = record_new();
	struct command_set c CLEANUP_COMMAND_SET = started("/sbin/d -f", "PATH=/bin");
	struct direct same = {.program = xstrdup("/sbin/d")},
		      unknown = {.program = xstrdup("/sbin/x")};

	execute(r, "/sbin/d", "/sbin/d -f", "PATH=/bin");
	direct_settle(&same, r, &c);
	direct_settle(&unknown, r, &c);
	CHECK(!same.program && !unknown.program);
	direct_apply(&same, &c);
	CHECK_STR(c.main.program, "/sbin/d");
	CHECK(!c.account.uid);
}

/* The wrapper's own name given on is no reason to start the wrapper. */
static void test_same_words(void)
{
	struct record *r CLEANUP_RECORD = record_new();
	struct command_set c CLEANUP_COMMAND_SET = started("/bin/wrap -f", "");
	struct direct d = {.program = xstrdup("/sbin/d")};

	execute(r, "/sbin/d", "/bin/wrap -f", "");
	direct_settle(&d, r, &c);
	CHECK_STR(d.program, "/sbin/d");
	direct_done(&d);
}

/* Root's commands before the service stay root's. */
static void test_steps(void)
{
	struct command_set c CLEANUP_COMMAND_SET = started("/bin/wrap", "");
	struct direct d = {.program = xstrdup("/sbin/d"), .cwd = xstrdup("/"), .uid = 7};

	c.pre = xcalloc(1, sizeof(*c.pre));
	c.steps = xcalloc(1, sizeof(*c.steps));
	c.n_pre = 1;
	direct_apply(&d, &c);
	CHECK(c.steps[0].keep_user);
	c.steps[0].keep_user = false;
	direct_apply(&d, &c); /* as who already switches: nothing to keep */
	CHECK(!c.steps[0].keep_user);
	direct_done(&d);
}

static void test_secrets(void)
{
	static const struct {
		const char *word, *env;
		int want;
	} rows[] = {
	    {"-f", "A=b", 0},
	    {"--pass=geheimnis", "A=b", -EPERM},
	    {"-f", "COPY=geheimnis", -EPERM},
	    {"yes", "A=yes", 0}, /* too short to be told from other words */
	};
	struct scratch s = scratch_new();
	struct strv files CLEANUP_STRV = STRV_INIT;

	put_file(s.fd, "env", "PASS=geheimnis\nON=yes\n");
	strv_take(&files, path_join(s.path, "env"));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct direct d = {.program = xstrdup("/sbin/d")};
		struct err e = {0};
		strv_add(&d.argv, rows[i].word);
		strv_add(&d.env, rows[i].env);
		CHECK_INT(direct_check(&d, &files, &e), rows[i].want);
		CHECK(!strstr(e.msg, "geheimnis") && (!rows[i].want || strstr(e.msg, "PASS")));
		direct_done(&d);
	}
	scratch_done(&s);
}

static void test_json(void)
{
	struct direct d = {.program = xstrdup("/sbin/\xff"
					      "d"),
			   .cwd = xstrdup("/"),
			   .uid = 7,
			   .gid = 8},
		      back = DIRECT_INIT, bad = DIRECT_INIT;

	strv_add(&d.argv, "d");
	strv_add(&d.env, "A=\n");
	d.groups = xcalloc(1, sizeof(*d.groups));
	d.groups[d.n_groups++] = 9;
	json_t *j = direct_to_json(&d), *none = direct_to_json(&bad);
	CHECK_INT(direct_from_json(&back, j), 0);
	CHECK_STR(back.program, d.program);
	CHECK_STR(back.env.v[0], "A=\n");
	CHECK_INT(back.groups[0], 9);
	CHECK_INT(direct_from_json(&bad, none), 0);
	CHECK(!bad.program);
	json_object_del(j, "argv");
	CHECK_INT(direct_from_json(&bad, j), -EBADMSG);
	json_decref(j);
	json_decref(none);
	direct_done(&d);
	direct_done(&back);
	direct_done(&bad);
}

static void touch(struct record *r, const char *path, unsigned kinds, const char *program,
		  enum phase phase)
{
	unsigned n = record_program(r, program);
	struct touch *t = record_get(r, path);

	t->kinds |= kinds;
	t->programs |= PROGRAM_BIT(n);
	r->program_phases[n] |= 1u << phase;
}

static void test_helpers(void)
{
	struct record *r CLEANUP_RECORD = record_new(), *g CLEANUP_RECORD = record_new();
	struct strv wrappers CLEANUP_STRV = STRV_INIT;

	touch(r, "/bin/sh", TOUCH_EXEC, "/bin/starter", PHASE_START);
	touch(r, "/bin/sh", TOUCH_EXEC, "/bin/sh", PHASE_START);
	touch(r, "/lib/libc", TOUCH_READ, "/bin/sh", PHASE_START);
	touch(r, "/lib/libc", TOUCH_READ, "/sbin/d", PHASE_START);
	touch(r, "/etc/wrap", TOUCH_READ, "/bin/sh", PHASE_START);
	touch(r, "/sbin/d", TOUCH_EXEC, "/bin/sh", PHASE_START);
	touch(r, "/sbin/d", TOUCH_EXEC, "/sbin/d", PHASE_START);
	touch(r, "/lib/ld.so", TOUCH_INTERP, "/bin/sh", PHASE_START);
	touch(r, "/lib/ld.so", TOUCH_INTERP, "/sbin/d", PHASE_START);
	touch(r, "/etc/late", TOUCH_READ, "/bin/sh", PHASE_START);
	touch(r, "/srv/x", TOUCH_READ, "/sbin/d", PHASE_EXERCISE);
	touch(g, "/etc/late", TOUCH_READ, "/sbin/d", PHASE_EXERCISE);
	CHECK(helpers_has(r, g, "/bin/sh"));
	CHECK(helpers_has(r, g, "/etc/wrap"));
	CHECK(!helpers_has(r, g, "/lib/libc"));
	CHECK(!helpers_has(r, g, "/sbin/d"));
	CHECK(!helpers_has(r, g, "/lib/ld.so"));
	CHECK(helpers_has(r, NULL, "/etc/late"));
	CHECK(!helpers_has(r, g, "/etc/late")); /* the growth has seen more */
	CHECK(!helpers_has(r, g, "/never"));
	helpers_programs(r, &wrappers);
	CHECK_INT(wrappers.n, 2);
	CHECK_STR(wrappers.v[0], "/bin/sh");
	CHECK_STR(wrappers.v[1], "/bin/starter");
}

int main(void)
{
	test_settle();
	test_ids();
	test_nothing_learnt();
	test_same_words();
	test_steps();
	test_secrets();
	test_json();
	test_helpers();
	return check_done("direct");
}
