/* SPDX-License-Identifier: MIT */
/* A child writes to files of the test's own directory; whether a build may run on a copy of them.
 */
#include "jail/state.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "fs-scratch.h"

static struct scratch here;

static char *in(const char *name)
{
	return path_join(here.path, name);
}

static void put(const char *name, const char *text)
{
	CLEANUP_STR char *up = path_parent(name);

	beneath_mkdirs(here.fd, up, 0755);
	CLEANUP_FD int fd = beneath_open(here.fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0)
		abort();
}

static void hold(const char *const *names, int ready)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "postgres");
	for (; *names; names++)
		if (beneath_open(here.fd, *names, O_RDWR, 0) < 0)
			abort();
	fd_write_all(ready, "", 1);
	pause();
	_exit(0);
}

static void provide(struct layout *l, const char *name, enum jail_class class, bool file)
{
	l->v = xrealloc(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = (struct provision){
	    .path = in(name), .class = class, .writable = true, .file = file, .why = xstrdup("")};
}

#define ROWS 4

struct scene {
	const char *name;
	const char *state, *file, *log; /* what the layout has */
	const char *held[ROWS];		/* "name", relative to the test's directory */
	const char *touched[ROWS];	/* of the record */
	const char *sample, *bind;	/* "DIR=WHAT", "DIR" */
	const char *want[ROWS];		/* what the message says; NULL: there is none */
};

/* d/: the service's; "pid" says a number, "empty" nothing. */
static const struct scene scenes[] = {
    {.name = "nothing is open", .state = "d"},
    {.name = "a database",
     .state = "d",
     .held = {"d/base/1"},
     .want = {"postgres (pid ", "/d is in use", "has base/1 open for writing,", "/d=PATH"}},
    {.name = "several files", .state = "d", .held = {"d/base/1", "d/base/2"}, .want = {"one of 2"}},
    {.name = "a single file",
     .file = "d/base/1",
     .held = {"d/base/1"},
     .want = {"/d/base/1 is in use", "/d/base/1=live"}},
    {.name = "another directory", .state = "d", .held = {"other/1"}},
    {.name = "locks are no data", .state = "d", .held = {"d/pid", "d/empty"}},
    {.name = "nor are logs", .state = "other", .log = "d", .held = {"d/base/1"}},
    {.name = "logs below state", .state = "d", .log = "d/base", .held = {"d/base/1"}},
    {.name = "what the baseline used",
     .held = {"other/1"},
     .touched = {"other/1"},
     .want = {"/other is in use", "has 1 open"}},
    {.name = "what it did not use", .held = {"other/1"}, .touched = {"other/2"}},
    {.name = "a log that it used", .log = "d", .held = {"d/base/1"}, .touched = {"d/base/1"}},
    {.name = "a sample", .state = "d", .held = {"d/base/1"}, .sample = "d=/srv/copy"},
    {.name = "as it is", .state = "d", .held = {"d/base/1"}, .sample = "d=live"},
    {.name = "a sample of a part",
     .state = "d",
     .held = {"d/base/1", "d/x"},
     .sample = "d/base=empty",
     .want = {"has x open"}},
    {.name = "what is bound", .state = "d", .held = {"d/base/1"}, .bind = "d"},
};

static void check_scene(const struct scene *c)
{
	struct layout l CLEANUP_LAYOUT = LAYOUT_INIT;
	struct record *record CLEANUP_RECORD = record_new();
	struct spec *s CLEANUP_SPEC = spec_new("test");
	struct err e = {0};
	int ready[2], failed = check_failed;
	char byte;

	if (c->state)
		provide(&l, c->state, CLASS_STATE, false);
	if (c->file)
		provide(&l, c->file, CLASS_STATE, true);
	if (c->log)
		provide(&l, c->log, CLASS_LOG, false);
	for (size_t i = 0; c->touched[i]; i++) {
		CLEANUP_STR char *path = in(c->touched[i]);
		struct touch *t = record_get(record, path);
		t->kinds = TOUCH_READ;
		t->found = S_IFREG;
	}
	if (c->sample)
		strv_take(&s->sample, in(c->sample));
	if (c->bind)
		strv_take(&s->bind_paths, in(c->bind));
	CHECK_INT(pipe2(ready, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0)
		hold(c->held, ready[1]);
	CHECK_INT(read(ready[0], &byte, 1), 1);
	CHECK_INT(state_in_use(s, &l, c->touched[0] ? record : NULL, &e), c->want[0] ? -EBUSY : 0);
	for (size_t i = 0; i < ROWS && c->want[i]; i++)
		CHECK(strstr(e.msg, c->want[i]));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	if (check_failed > failed)
		printf("# %s: %s\n", c->name, e.msg);
}

static void check_leave(const char *dir, const char *sample, enum net_mode net, int want)
{
	struct layout l CLEANUP_LAYOUT = LAYOUT_INIT;
	struct spec *s CLEANUP_SPEC = spec_new("test");
	struct err e = {0};

	l.v = xcalloc(1, sizeof(*l.v));
	l.v[l.n++] = (struct provision){.path = xstrdup(dir),
					.class = CLASS_STATE,
					.writable = true,
					.file = str_ends(dir, ".file"),
					.why = xstrdup("")};
	s->net = net;
	if (sample)
		strv_add(&s->sample, sample);
	CHECK_INT(state_may_leave(s, &l, here.fd, &e), want);
	CHECK(!want || (strstr(e.msg, dir) && strstr(e.msg, "=live")));
}

static void test_leave(void)
{
	CHECK_INT(beneath_mkdirs(here.fd, "/hollow/a/b", 0755), 0);
	put("hollow/a/empty", "");
	put("one.file", "x");
	put("no.file", "");
	check_leave("/d", NULL, NET_HOST, -EPERM);
	check_leave("/d", NULL, NET_PRIVATE, 0);
	check_leave("/d", "/d=live", NET_HOST, 0);
	check_leave("/d", "/d=empty", NET_HOST, 0);
	check_leave("/d", "/other=empty", NET_HOST, -EPERM);
	check_leave("/hollow", NULL, NET_HOST, 0);
	check_leave("/missing", NULL, NET_HOST, 0);
	check_leave("/one.file", NULL, NET_HOST, -EPERM);
	check_leave("/no.file", NULL, NET_HOST, 0);
}

int main(void)
{
	/* not /tmp, which is private to each run: what is there is nobody's state */
	here = (struct scratch){.path = "/var/cache/immure-unit-XXXXXX"};
	if (!mkdtemp(here.path)) {
		printf("1..0 # skip /var/cache cannot be written to\n");
		return 0;
	}
	here.parent = open("/var/cache", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	here.fd = open(here.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put("d/base/1", "data");
	put("d/base/2", "data");
	put("d/x", "data");
	put("d/pid", "123\n");
	put("d/empty", "");
	put("other/1", "data");
	put("other/2", "data");
	for (size_t i = 0; i < ARRAY_LEN(scenes); i++)
		check_scene(&scenes[i]);
	test_leave();
	scratch_done(&here);
	return check_done("state");
}
