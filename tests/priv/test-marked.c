/* SPDX-License-Identifier: MIT */
/* usage: test-marked PROGRAM
 *
 * Runs `marked` three times in worlds: alone, watched, and in a jail that is being grown. It must
 * print the same each time, and the two records must tell what it did. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/path.h"
#include "check.h"
#include "marked-fixture.h"
#include "marked.h"
#include "rig.h"

static const mode_t fixture_types[] = {
    [NOTHING] = 0,	 [PLAIN_FILE] = S_IFREG, [DIRECTORY] = S_IFDIR,
    [SYMLINK] = S_IFLNK, [SOCKET] = S_IFSOCK,	 [SCRIPT] = S_IFREG,
};

/* What the scenes must leave in either record. */
static const struct {
	const char *path;
	unsigned kinds;
	mode_t found;
} expected[] = {
    {"cwd/one", TOUCH_LOOK, S_IFDIR},
    {"cwd/two", TOUCH_LOOK, S_IFDIR},
    {"cwd/one/a", TOUCH_READ, S_IFREG},
    {"cwd/two/b", TOUCH_READ, S_IFREG},
    {"cwd/three/c", TOUCH_READ, S_IFREG},
    {"cwd/three/d", TOUCH_READ, S_IFREG},
    {"cwd/three/e", TOUCH_READ, S_IFREG},
    {"cwd/none", TOUCH_LOOK, 0},
    {"in_root/root/a", TOUCH_READ, S_IFREG},
    {"in_root/root/link", TOUCH_LINK, S_IFLNK},
    {"in_root/root/b", TOUCH_READ, S_IFREG},
    {"in_root/root/c", TOUCH_READ, S_IFREG},
    {"links/l1", TOUCH_LINK, S_IFLNK},
    {"links/l2", TOUCH_LINK, S_IFLNK},
    {"links/dir", 0, S_IFDIR},
    {"links/dir/up", TOUCH_LINK, S_IFLNK},
    {"links/other/file", TOUCH_READ, S_IFREG},
    {"links/nowhere", TOUCH_READ | TOUCH_MAKE, 0},
    {"proc/a", TOUCH_READ, S_IFREG},
    {"proc/other/a", TOUCH_READ, S_IFREG},
    {"proc/b", TOUCH_READ, S_IFREG},
    {"proc/fds/c", TOUCH_READ, S_IFREG},
    {"proc/fds/d", TOUCH_READ, S_IFREG},
    {"proc/e", TOUCH_READ, S_IFREG},
    {"chrooted/root", TOUCH_LOOK, S_IFDIR},
    {"chrooted/root/inside", TOUCH_READ, S_IFREG},
    {"chrooted/root/abs", TOUCH_LINK, S_IFLNK},
    {"chrooted/root/real", TOUCH_READ, S_IFREG},
    {"chrooted/root/up", TOUCH_READ, S_IFREG},
    {"chrooted/root/nowhere", TOUCH_READ, 0},
    {"chrooted/before", TOUCH_READ, S_IFREG},
    {"chrooted/outside", TOUCH_READ, S_IFREG},
    {"threads/cwd0/t", TOUCH_READ, S_IFREG},
    {"threads/cwd7/t", TOUCH_READ, S_IFREG},
    {"vforked/script", TOUCH_EXEC | TOUCH_READ, S_IFREG},
    {"daemonized/file", TOUCH_READ, S_IFREG},
    {"fexec/tool", TOUCH_EXEC | TOUCH_LOOK, S_IFREG},
    {"ld", TOUCH_INTERP | TOUCH_READ, S_IFREG},
    {"script/a", TOUCH_EXEC, S_IFREG},
    {"script/b", TOUCH_INTERP | TOUCH_READ, S_IFREG},
    {"script/c", TOUCH_INTERP | TOUCH_READ, S_IFREG},
    {"sockets/sub/relative", TOUCH_BIND | TOUCH_MAKE | TOUCH_CONNECT | TOUCH_LOOK | TOUCH_REMOVE,
     0},
    {"sockets/dgram", TOUCH_BIND | TOUCH_MAKE | TOUCH_CONNECT, 0},
    {"own_filter/file", TOUCH_READ, S_IFREG},
    {"signals/f199", TOUCH_LOOK, S_IFREG},
    {"big/big", TOUCH_READ, S_IFREG},
    {"changes/gone", TOUCH_REMOVE | TOUCH_READ, S_IFREG},
    {"changes/new", TOUCH_WRITE | TOUCH_MAKE | TOUCH_READ, 0},
};

/* Lines that tell of the watching itself: no io_uring under the filter. */
static const char *const watched_only[] = {"io_uring_setup: "};

static const char *dir;

static bool excepted(const char *line)
{
	for (size_t i = 0; i < ARRAY_LEN(watched_only); i++)
		if (str_after(line, watched_only[i]))
			return true;
	return false;
}

static size_t split(char *text, char **lines, size_t max)
{
	size_t n = 0;
	char *save = NULL;

	for (char *l = strtok_r(text, "\n", &save); l && n < max; l = strtok_r(NULL, "\n", &save))
		lines[n++] = l;
	return n;
}

static void check_same_output(const char *label, const struct rig_result *a,
			      const struct rig_result *b)
{
	static char *x[4096], *y[4096];
	CLEANUP_STR char *ta = xstrdup(a->out), *tb = xstrdup(b->out);
	size_t n = split(ta, x, 4096), m = split(tb, y, 4096);
	const char *scene = "";

	for (size_t i = 0; i < n || i < m; i++) {
		const char *one = i < n ? x[i] : "", *two = i < m ? y[i] : "";
		if (one[0] == '[')
			scene = one;
		if (excepted(one))
			continue;
		if (!streq(one, two))
			printf("# %s: %s: line %zu\n", label, scene, i + 1);
		CHECK_STR(two, one);
		if (one[0] == '[' && !streq(one, two))
			break; /* out of step: nothing more to learn */
	}
}

static void check_ended_well(const char *label, const struct rig_result *r)
{
	printf("# %s: %.2f s, %lu calls trapped\n", label, r->seconds, r->calls);
	CHECK(!r->killed);
	CHECK(WIFEXITED(r->status) && WEXITSTATUS(r->status) == 0);
	CHECK(r->out && strstr(r->out, "[handles]"));
	CHECK(r->out && !strstr(r->out, "mount namespace") && !strstr(r->out, "not private"));
}

static void check_touch(const struct record *r, const char *name, unsigned kinds, mode_t found)
{
	CLEANUP_STR char *path = path_join(dir, name);
	const struct touch *t = record_find(r, path);
	char got[160], want[160];

	touch_kinds_text(t ? t->kinds & ~(unsigned)TOUCH_LISTED : 0, got, sizeof(got));
	touch_kinds_text(kinds, want, sizeof(want));
	if (!t || !streq(got, want) || t->found != found)
		printf("# of %s\n", name);
	CHECK(t != NULL);
	CHECK_STR(got, want);
	CHECK_INT(t ? t->found : 0, found);
}

/* Each row of the table is exercised, or the program says why not. */
static void check_row(const struct call *c, const struct rig_result *r)
{
	CLEANUP_STR char *mark = xasprintf("%s: ", c->name);
	const char *line = strstr(r->out, mark);
	size_t i = 0;

	while (i < N_MARKS && !streq(marks[i].call, c->name))
		i++;
	if (i == N_MARKS || !line) {
		printf("# %s has no operation in tests/priv/marked.h\n", c->name);
		CHECK(false);
		return;
	}
	if (str_after(line + strlen(mark), "skipped")) {
		printf("# %.*s\n", (int)strcspn(line, "\n"), line);
		return;
	}
	if (c->shape == SHAPE_REFUSE) {
		CHECK(str_after(line + strlen(mark), "ENOSYS"));
		return;
	}
	check_touch(r->record, c->name, marks[i].kinds, fixture_types[marks[i].is]);
	if (!marks[i].second)
		return;
	CLEANUP_STR char *second = xasprintf("%s%s", c->name, marks[i].second);
	check_touch(r->record, second, marks[i].second_kinds, fixture_types[marks[i].second_is]);
}

static void check_record(const struct rig_result *r)
{
	int n;
	const struct call *table = call_table(&n);

	for (int i = 0; i < n; i++)
		if (table[i].shape != SHAPE_RECEIPT) /* it names no path */
			check_row(&table[i], r);
	for (size_t i = 0; i < ARRAY_LEN(expected); i++)
		check_touch(r->record, expected[i].path, expected[i].kinds, expected[i].found);
	/* The scratch directory of the run itself is no business of the service. */
	for (const struct touch *t = r->record->touches; t; t = t->hh.next)
		if (t->kinds && path_within(t->path, r->scratch)) {
			printf("# %s\n", t->path);
			CHECK(false);
		}
}

static void check_evidence(const struct rig_result *r, const char *program)
{
	CLEANUP_STR char *ld = path_join(dir, "ld");
	CLEANUP_STR char *tool = xasprintf("interpreter of %s/fexec/tool", dir);
	CLEANUP_STR char *file = path_join(dir, "open");
	const struct touch *t = record_find(r->record, ld);

	CHECK_STR(t ? t->why : NULL, tool);
	t = record_find(r->record, file);
	CHECK_STR(t ? t->by : NULL, program);
	/* mount(2) pairs nothing, rename(2) within one directory neither. */
	for (size_t i = 0; i < r->record->n_pairings; i++)
		printf("# pairing %s %s\n", r->record->pairings[i].from, r->record->pairings[i].to);
	CHECK_INT(r->record->n_pairings, 0);
}

/* What is native and what is grown differ in one thing: listings are answered in the jail. */
static void check_same_record(const struct record *a, const struct record *b, const char *label)
{
	CLEANUP_STR char *moved = path_join(dir, "renamed"); /* the growth looks into it before */
	char x[160], y[160];

	for (const struct touch *t = a->touches; t; t = t->hh.next) {
		const struct touch *o = record_find(b, t->path);
		unsigned other = o ? o->kinds & ~(unsigned)TOUCH_LISTED : 0;
		unsigned own = t->kinds & ~(unsigned)TOUCH_LISTED;
		if (!path_within(t->path, dir) || path_within(t->path, moved) || !own)
			continue;
		if (own != other || !o || o->found != t->found)
			printf("# %s: %s: %s %o, %s %o\n", label, t->path,
			       touch_kinds_text(own, x, sizeof(x)), t->found,
			       touch_kinds_text(other, y, sizeof(y)), o ? o->found : 0);
		CHECK(own == other && o && o->found == t->found);
	}
}

int main(int argc, char **argv)
{
	static const char *const labels[] = {"alone", "watched", "grown"};
	struct rig_result r[3] = {RIG_RESULT_INIT, RIG_RESULT_INIT, RIG_RESULT_INIT};

	setvbuf(stdout, NULL, _IOLBF, 0);
	rig_need_root();
	if (argc < 2)
		return 2;
	CLEANUP_STR char *program = realpath(argv[1], NULL);
	CLEANUP_STR char *made = rig_dir();
	dir = made;
	fixture_make(dir, program);
	CLEANUP_STR char *before = rig_listing(dir);
	const char *const command[] = {program, dir, NULL};
	for (int i = 0; i < 3; i++) {
		const struct rig rig = {.kind = (enum rig_kind)i, .argv = command, .seconds = 60};
		if (rig_run(&rig, &r[i]) < 0)
			return 1;
		check_ended_well(labels[i], &r[i]);
	}
	CLEANUP_STR char *after = rig_listing(dir);
	CHECK(streq(before, after)); /* the host's files are as they were */
	check_same_output("alone and grown", &r[0], &r[2]);
	check_same_output("watched and grown", &r[1], &r[2]);
	for (int i = 1; i < 3; i++) {
		check_record(&r[i]);
		check_evidence(&r[i], program);
	}
	check_same_record(r[1].record, r[2].record, "watched, grown");
	check_same_record(r[2].record, r[1].record, "grown, watched");
	if (check_failed && getenv("SHOW"))
		printf("%s\n=====\n%s\n", r[1].out, r[2].out);
	for (int i = 0; i < 3; i++)
		rig_done(&r[i]);
	rig_remove(dir);
	return check_done("marked");
}
