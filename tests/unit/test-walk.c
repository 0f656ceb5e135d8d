/* SPDX-License-Identifier: MIT */
/* Path resolution on a tree that is only looked at (no jail): held against the kernel's own, which
 * openat2(2) with RESOLVE_IN_ROOT shows, and by rows. */
#include "grow/walk.h"

#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "base/alloc.h"
#include "fs-scratch.h"

struct rig {
	struct scratch s;
	struct record *record;
	struct tree tree;
};

static void put_link(int fd, const char *target, const char *name)
{
	CHECK_INT(symlinkat(target, fd, name), 0);
}

static struct rig rig_new(void)
{
	static const char *const dirs[] = {"a", "a/b", "a/b/c", "d", "jail", "jail/in", "proc"};
	static const char *const files[] = {"file", "a/one", "a/b/c/deep", "d/two",
					    "jail/in/three"};
	static const char *const links[][2] = {
	    {"file", "l"},
	    {"l", "l2"},
	    {"a/b", "dir"},
	    {"/a/b", "abs"},
	    {"../d/two", "a/up"},
	    {"dir/c", "through"},
	    {"loop2", "loop1"},
	    {"loop1", "loop2"},
	    {"nowhere", "dangling"},
	    {"/../../d", "over"},
	    {".", "self"},
	    {"a/one/", "slashed"},
	    {"/in", "jail/abs"},
	    {"../../../d", "jail/out"},
	    {"d/new", "new"},
	    {"/proc/self/cwd", "cwd"},
	    {"../../../../../../d", "a/b/c/far"},
	};
	struct rig r = {.s = scratch_new(), .record = record_new()};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		CHECK_INT(mkdirat(r.s.fd, dirs[i], 0755), 0);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		put_file(r.s.fd, files[i], "x");
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		put_link(r.s.fd, links[i][0], links[i][1]);
	CHECK_INT(tree_init(&r.tree, r.s.fd, -1, r.record), 0);
	return r;
}

static void rig_done(struct rig *r)
{
	tree_done(&r->tree);
	record_free(r->record);
	scratch_done(&r->s);
}

/* @root and @base as the thread has them; @want the canonical path, or how far it got. */
static const struct {
	const char *root, *base, *path;
	bool nofollow;
	enum walk_result result;
	const char *want;
	bool not_last; /* what is missing stands on the way */
} rows[] = {
    {"/", "/", "/", false, WALK_THERE, "/", false},
    {"/", "/", "//", false, WALK_THERE, "/", false},
    {"/", "/a", "", false, WALK_THERE, "/a", false},
    {"/", "/a", ".", false, WALK_THERE, "/a", false},
    {"/", "/", "/file", false, WALK_THERE, "/file", false},
    {"/", "/", "//a///b/./c//deep", false, WALK_THERE, "/a/b/c/deep", false},
    {"/", "/a/b", "c/deep", false, WALK_THERE, "/a/b/c/deep", false},
    {"/", "/a/b", "../one", false, WALK_THERE, "/a/one", false},
    {"/", "/a/b", "../../../../d/two", false, WALK_THERE, "/d/two", false},
    {"/", "/", "/a/b/..", false, WALK_THERE, "/a", false},
    /* links: last, on the way, of links, absolute, upward, with a slash behind */
    {"/", "/", "/l2", false, WALK_THERE, "/file", false},
    {"/", "/", "/l2", true, WALK_THERE, "/l2", false},
    {"/", "/", "/through/deep", false, WALK_THERE, "/a/b/c/deep", false},
    {"/", "/", "/abs/c", false, WALK_THERE, "/a/b/c", false},
    {"/", "/", "/a/up", false, WALK_THERE, "/d/two", false},
    {"/", "/", "/dir/../one", false, WALK_THERE, "/a/one", false},
    {"/", "/", "/dir/", true, WALK_THERE, "/a/b", false},
    {"/", "/", "/dir/.", true, WALK_THERE, "/a/b", false},
    {"/", "/", "/over/two", false, WALK_THERE, "/d/two", false},
    {"/", "/", "/self/self/self/file", false, WALK_THERE, "/file", false},
    {"/", "/", "/a/b/c/far/two", false, WALK_THERE, "/d/two", false},
    /* missing: last, on the way, where a link leads */
    {"/", "/", "/none", false, WALK_MISSING, "/none", false},
    {"/", "/", "/none/", false, WALK_MISSING, "/none", false},
    {"/", "/", "/none/x/y", false, WALK_MISSING, "/none", true},
    {"/", "/", "/dangling", false, WALK_MISSING, "/nowhere", false},
    {"/", "/", "/dangling/x", false, WALK_MISSING, "/nowhere", true},
    {"/", "/", "/dangling", true, WALK_THERE, "/dangling", false},
    {"/", "/", "/new", false, WALK_MISSING, "/d/new", false}, /* where O_CREAT makes it */
    {"/", "/", "/none/../file", false, WALK_MISSING, "/none", true},
    /* what the kernel refuses without our help */
    {"/", "/", "/file/x", false, WALK_NOWHERE, NULL, false},
    {"/", "/", "/file/..", false, WALK_NOWHERE, NULL, false},
    {"/", "/", "/file/.", false, WALK_NOWHERE, NULL, false},
    {"/", "/", "/loop1", false, WALK_NOWHERE, NULL, false},
    /* in a changed root: absolute paths and links start there, and ".." ends there */
    {"/jail", "/jail/in", "/in/three", false, WALK_THERE, "/jail/in/three", false},
    {"/jail", "/jail/in", "/abs/three", false, WALK_THERE, "/jail/in/three", false},
    {"/jail", "/jail/in", "/../../in/three", false, WALK_THERE, "/jail/in/three", false},
    {"/jail", "/jail/in", "../../../in", false, WALK_THERE, "/jail/in", false},
    {"/jail", "/jail", "/out", false, WALK_MISSING, "/jail/d", false},
    /* chroot(2) without chdir(2): a cwd outside is not held back by the root */
    {"/jail", "/a/b", "../../d/two", false, WALK_THERE, "/d/two", false},
    {"/jail", "/a/b", "/in/three", false, WALK_THERE, "/jail/in/three", false},
    /* /proc is the kernel's */
    {"/", "/", "/proc", false, WALK_THERE, "/proc", false},
    {"/", "/", "/proc/1/status", false, WALK_NOWHERE, NULL, false},
    {"/", "/", "/proc/self/status", false, WALK_NOWHERE, NULL, false},
    {"/", "/", "/proc/self", false, WALK_NOWHERE, NULL, false},
    {"/", "/", "/proc/sys/kernel", false, WALK_NOWHERE, NULL, false},
};

static void check_row(struct rig *r, size_t i)
{
	const struct origin o = {.tid = getpid(), .root = rows[i].root, .base = rows[i].base};
	struct walked at = {0};
	enum walk_result got = walk(&r->tree, &o, rows[i].path, !rows[i].nofollow, &at);

	if (got != rows[i].result || (rows[i].want && !streq(at.path, rows[i].want)))
		printf("# root %s, at %s: %s\n", rows[i].root, rows[i].base, rows[i].path);
	CHECK_INT(got, rows[i].result);
	if (got == WALK_NOWHERE)
		return;
	CHECK_STR(at.path, rows[i].want);
	CHECK(at.touch && streq(at.touch->path, at.path));
	if (got == WALK_MISSING) {
		if (at.last == rows[i].not_last)
			printf("# %s\n", rows[i].path);
		CHECK_INT(at.last, !rows[i].not_last);
		CHECK_INT(at.touch->found, 0);
	}
}

/* A fresh tree each time: the first look at a path and a later one must agree. */
static void test_rows(void)
{
	struct rig once = rig_new();

	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			check_row(&once, i);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig r = rig_new();
		check_row(&r, i);
		rig_done(&r);
	}
	rig_done(&once);
}

static void test_kinds(void)
{
	struct rig r = rig_new();
	const struct origin o = {.tid = getpid(), .root = "/", .base = "/"};
	struct walked at = {0};

	CHECK_INT(walk(&r.tree, &o, "/through/deep", true, &at), WALK_THERE);
	static const struct {
		const char *path;
		unsigned kinds;
		mode_t found;
	} want[] = {
	    {"/through", TOUCH_LINK, S_IFLNK},
	    {"/dir", TOUCH_LINK, S_IFLNK},
	    {"/a", 0, S_IFDIR},
	    {"/a/b", 0, S_IFDIR},
	    {"/a/b/c", 0, S_IFDIR},
	    {"/a/b/c/deep", 0, S_IFREG},
	};
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		struct touch *t = record_find(r.record, want[i].path);
		CHECK(t != NULL);
		CHECK_INT(t ? t->kinds : ~0u, want[i].kinds);
		CHECK_INT(t ? t->found : 0, want[i].found);
	}
	rig_done(&r);
}

/* Limits of path_resolution(7). */
static void test_limits(void)
{
	struct rig r = rig_new();
	const struct origin o = {.tid = getpid(), .root = "/", .base = "/"};
	struct walked at = {0};
	char name[32], before[32] = "file";
	static char path[2 * PATH_MAX];

	for (int i = 0; i < 42; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		put_link(r.s.fd, before, name);
		memcpy(before, name, sizeof(before));
	}
	CHECK_INT(walk(&r.tree, &o, "/n39", true, &at), WALK_THERE); /* forty links */
	CHECK_STR(at.path, "/file");
	CHECK_INT(walk(&r.tree, &o, "/n40", true, &at), WALK_NOWHERE);

	memset(path, 'x', NAME_MAX + 2);
	path[0] = '/';
	path[NAME_MAX + 2] = '\0';
	CHECK_INT(walk(&r.tree, &o, path, true, &at), WALK_NOWHERE);
	path[NAME_MAX + 1] = '\0';
	CHECK_INT(walk(&r.tree, &o, path, true, &at), WALK_MISSING);

	for (size_t i = 0; i < sizeof(path) - 1; i++)
		path[i] = i % 2 ? '.' : '/';
	path[PATH_MAX - 1] = '\0'; /* the longest that the kernel takes */
	CHECK_INT(walk(&r.tree, &o, path, true, &at), WALK_THERE);
	path[PATH_MAX - 1] = '/';
	path[PATH_MAX] = '\0';
	CHECK_INT(walk(&r.tree, &o, path, true, &at), WALK_NOWHERE);
	rig_done(&r);
}

/* /proc/self and its magic links mean what they mean for the thread. Here the thread is this one,
 * and the tree the host's. */
static void test_proc(void)
{
	struct scratch s = scratch_new();
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct record *record CLEANUP_RECORD = record_new();
	struct tree tree;
	const struct origin o = {.tid = getpid(), .root = "/", .base = "/"};
	struct walked at = {0};
	char text[64];

	put_file(s.fd, "f", "x");
	CHECK_INT(tree_init(&tree, root, -1, record), 0);
	CLEANUP_STR char *want = xasprintf("%s/f", s.path);
	CHECK_INT(fchdir(s.fd), 0);
	static const char *const forms[] = {"/proc/self/cwd/f", "/proc/thread-self/cwd/./f",
					    "/proc/self/root%s/f", "/proc/self/task/7/cwd/f",
					    "/proc/self/cwd/../%s/f"};
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		const char *in = strstr(forms[i], "..") ? strrchr(s.path, '/') + 1 : s.path;
		CLEANUP_STR char *path = NULL;
		const char *mark = strstr(forms[i], "%s");
		path = mark ? xasprintf("%.*s%s%s", (int)(mark - forms[i]), forms[i], in, mark + 2)
			    : xstrdup(forms[i]);
		CHECK_INT(walk(&tree, &o, path, true, &at), WALK_THERE);
		CHECK_STR(at.path, want);
	}
	snprintf(text, sizeof(text), "/proc/self/fd/%d/f", s.fd);
	CHECK_INT(walk(&tree, &o, text, true, &at), WALK_THERE);
	CHECK_STR(at.path, want);
	/* Nothing of a file: a pipe, a number that is none, a file that is gone. */
	int pipes[2];
	CHECK_INT(pipe2(pipes, O_CLOEXEC), 0);
	snprintf(text, sizeof(text), "/proc/self/fd/%d", pipes[0]);
	CHECK_INT(walk(&tree, &o, text, true, &at), WALK_NOWHERE);
	CHECK_INT(walk(&tree, &o, "/proc/self/fd/999999", true, &at), WALK_NOWHERE);
	CHECK_INT(walk(&tree, &o, "/proc/self/fd/../x", true, &at), WALK_NOWHERE);
	int gone = openat(s.fd, "gone", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK_INT(unlinkat(s.fd, "gone", 0), 0);
	snprintf(text, sizeof(text), "/proc/self/fd/%d", gone);
	CHECK_INT(walk(&tree, &o, text, true, &at), WALK_NOWHERE);
	close(gone);
	close(pipes[0]);
	close(pipes[1]);
	CHECK_INT(chdir("/"), 0);
	tree_done(&tree);
	close(root);
	scratch_done(&s);
}

/* An open descriptor of a file that the tree does not have (it stands in another mount namespace)
 * is no path of the tree, whatever its link says. */
static void test_foreign_fd(void)
{
	struct rig r = rig_new();
	const struct origin o = {.tid = getpid(), .root = "/", .base = "/"};
	struct walked at = {0};
	char text[64];
	int fd =
	    openat(r.s.fd, "file", O_RDONLY | O_CLOEXEC); /* "/tmp/.../file": not in the tree */

	snprintf(text, sizeof(text), "/proc/self/fd/%d", fd);
	enum walk_result got = walk(&r.tree, &o, text, true, &at);
	CHECK(got == WALK_NOWHERE || got == WALK_MISSING);
	close(fd);
	rig_done(&r);
}

/* Random paths of a small vocabulary, against the kernel. */
static void test_against_kernel(void)
{
	static const char *const words[] = {
	    "a",    "b",   "c",	  "d",	     "..",  ".",    "l",    "l2",   "dir", "abs",     "up",
	    "file", "one", "two", "through", "far", "self", "over", "none", "new", "dangling"};
	struct rig r = rig_new();
	const struct origin o = {.tid = getpid(), .root = "/", .base = "/"};
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
			       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	unsigned seed = 1;

	for (int i = 0; i < 20000; i++) {
		char path[256] = "";
		struct walked at = {0};
		for (int k = rand_r(&seed) % 7; k >= 0; k--) {
			strcat(path, "/");
			strcat(path, words[(unsigned)rand_r(&seed) % ARRAY_LEN(words)]);
		}
		int fd;
		do /* EAGAIN: something was renamed, anywhere on this host */
			fd = (int)syscall(SYS_openat2, r.s.fd, path, &how, sizeof(how));
		while (fd < 0 && errno == EAGAIN);
		bool there = walk(&r.tree, &o, path, true, &at) == WALK_THERE;
		if (there != (fd >= 0))
			printf("# %s: %s\n", path, strerror(errno));
		CHECK(there == (fd >= 0));
		struct stat a, b;
		if (there && fd >= 0)
			CHECK(fstat(fd, &a) == 0 && beneath_lstat(r.s.fd, at.path, &b) == 0 &&
			      a.st_ino == b.st_ino);
		if (fd >= 0)
			close(fd);
	}
	rig_done(&r);
}

int main(void)
{
	test_rows();
	test_kinds();
	test_limits();
	test_proc();
	test_foreign_fd();
	test_against_kernel();
	return check_done("walk");
}
