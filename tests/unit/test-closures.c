/* SPDX-License-Identifier: MIT */
/* The closures of this host's programs against the loader's own listing: each program of /usr/bin
 * and /usr/sbin, and modules and libraries of some services. All must agree, also in their order.
 * Reading them must be quick: a build reads some hundred. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "foresee/libraries.h"
#include "fs-scratch.h"
#include "fs/dir.h"
#include "host/host.h"

static const struct {
	const char *dir;
	bool libraries; /* else programs */
} places[] = {
    {"/usr/bin", false},
    {"/usr/sbin", false},
    {"/usr/lib/postfix/sbin", false},
    {"/usr/lib/dovecot", false},
    {"/usr/lib/apache2/modules", true},
    {"/usr/lib/dovecot/modules", true},
    {"/usr/lib/nginx/modules", true},
    {"/usr/lib/x86_64-linux-gnu/security", true},
    {"/usr/lib/x86_64-linux-gnu/gconv", true},
    {"/usr/lib/x86_64-linux-gnu/sasl2", true},
    {"/usr/lib32", true},
};

/* What the loader's listing says, paths canonical, or NULL where it would not. */
static char *listing(const char *loader, const char *object)
{
	const char *argv[] = {loader, "--list", object, NULL};
	char *const environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	char *out = NULL;
	int ends[2], status = -1;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
	int r =
	    posix_spawn(&pid, loader, &actions, NULL, (char *const *)(uintptr_t)argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (r == 0) {
		fd_read_all(ends[0], 1 << 20, &out, NULL);
		waitpid(pid, &status, 0);
	}
	close(ends[0]);
	return out;
}

/* "\tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x0...)", "\t/abs/libx.so (0x0...)", "\tlibn.so
 * => not found"; the loader itself and the kernel's object left out. */
static void read_line(const char *line, size_t n, const char *loader, struct strv *found,
		      struct strv *missing)
{
	CLEANUP_STR char *text = xstrndup(line, n);
	char *arrow = strstr(text, " => "), *path = arrow ? arrow + 4 : text;

	if (strcmp(path, "not found") == 0) {
		*arrow = '\0';
		strv_add(missing, text);
		return;
	}
	path[strcspn(path, " ")] = '\0';
	CLEANUP_STR char *canonical = realpath(path, NULL);
	if (path[0] == '/' && canonical && strcmp(canonical, loader) != 0)
		strv_add(found, canonical);
}

static void read_listing(const char *text, const char *loader, struct strv *found,
			 struct strv *missing)
{
	CLEANUP_STR char *canonical = realpath(loader, NULL);

	for (; (text = strchr(text, '\t')); text += strcspn(text, "\n"))
		read_line(text + 1, strcspn(text + 1, "\n"), canonical, found, missing);
}

/* What foresight says of the same: libraries in order, and the names that are missing. */
static void read_closure(const struct evidence *ev, const struct strv *texts, struct strv *found,
			 struct strv *missing)
{
	for (const struct node *n = ev->first; n; n = n->next)
		if (n->reasons[0].kind == REASON_NEEDED)
			strv_add(found, n->path);
	for (size_t i = 0; i < texts->n; i++)
		strv_take(missing, xstrndup(texts->v[i], strcspn(texts->v[i], ",")));
}

static bool same(const struct strv *a, const struct strv *b)
{
	bool equal = a->n == b->n;

	for (size_t i = 0; equal && i < a->n; i++)
		equal = streq(a->v[i], b->v[i]);
	return equal;
}

static void show(const char *who, const struct strv *found, const struct strv *missing)
{
	printf("#   %s:", who);
	for (size_t i = 0; i < found->n; i++)
		printf(" %s", found->v[i]);
	for (size_t i = 0; i < missing->n; i++)
		printf(" (no %s)", missing->v[i]);
	printf("\n");
}

struct comparing {
	int root;
	struct libraries *libraries;
	unsigned objects, differ;
	size_t libraries_seen;
	double seconds; /* ours */
};

static void compare_object(struct comparing *c, const char *path, const char *loader)
{
	struct evidence *ev CLEANUP_EVIDENCE = evidence_new(c->root);
	struct strv texts CLEANUP_STRV = STRV_INIT;
	struct strv ours CLEANUP_STRV = STRV_INIT, our_missing CLEANUP_STRV = STRV_INIT;
	struct strv theirs CLEANUP_STRV = STRV_INIT, their_missing CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *text = listing(loader, path);
	double start = clock_now();

	CHECK_INT(libraries_take(c->libraries, ev, path, NULL, &texts), 0);
	c->seconds += clock_now() - start;
	read_closure(ev, &texts, &ours, &our_missing);
	read_listing(text ? text : "", loader, &theirs, &their_missing);
	bool agree = same(&ours, &theirs) && same(&our_missing, &their_missing);
	c->objects++;
	c->libraries_seen += ours.n;
	if (!agree) {
		c->differ++;
		printf("# %s\n", path);
		show("ours", &ours, &our_missing);
		show("the loader's", &theirs, &their_missing);
	}
	CHECK(agree);
}

/* The kernel may know 64-bit programs only, though there are others. */
static bool is_runnable(const char *loader)
{
	const char *argv[] = {loader, "--help", NULL};
	char *const environment[] = {NULL};
	pid_t pid;
	int status = -1;
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	bool runs = posix_spawn(&pid, loader, &actions, NULL, (char *const *)(uintptr_t)argv,
				environment) == 0 &&
		    waitpid(pid, &status, 0) == pid && status == 0;
	posix_spawn_file_actions_destroy(&actions);
	return runs;
}

/* A library is asked for alone: what others brought of it counts for nothing. */
static void compare_library(struct comparing *c, const char *path)
{
	static const struct strv nothing = STRV_INIT;
	const struct elf_object *o = libraries_object(c->libraries, path);
	const char *loader = o && o->wide ? "/lib64/ld-linux-x86-64.so.2" : "/lib/ld-linux.so.2";

	if (!o || o->interp || !o->dynamic || access(loader, X_OK) < 0 ||
	    (!o->wide && !is_runnable(loader)))
		return;
	struct libraries *alone CLEANUP_LIBRARIES = libraries_open(c->root, &nothing);
	struct comparing one = *c;
	one.libraries = alone;
	compare_object(&one, path, loader);
	one.libraries = c->libraries;
	*c = one;
}

static void compare_program(struct comparing *c, const char *path)
{
	const struct elf_object *o = libraries_object(c->libraries, path);

	if (o && o->interp && o->dynamic && (o->wide || is_runnable(o->interp)))
		compare_object(c, path, o->interp);
}

static void compare_place(struct comparing *c, const char *dir, bool libraries)
{
	struct strv names CLEANUP_STRV = STRV_INIT;

	host_names(c->root, dir, &names);
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP_STR char *path = path_join(dir, names.v[i]);
		struct stat st;
		if (beneath_lstat(c->root, path, &st) == 0 && S_ISREG(st.st_mode))
			(libraries ? compare_library : compare_program)(c, path);
	}
}

int main(void)
{
	static const struct strv nothing = STRV_INIT;
	CLEANUP_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct libraries *l CLEANUP_LIBRARIES = libraries_open(root, &nothing);
	struct comparing c = {.root = root, .libraries = l};
	double start = clock_now();

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		compare_place(&c, places[i].dir, places[i].libraries);
	printf("# %u objects with %zu libraries compared with the loader's listing, %u differ; "
	       "%.2f ms each, %.1f s for all\n",
	       c.objects, c.libraries_seen, c.differ, c.seconds * 1e3 / (c.objects ? c.objects : 1),
	       clock_now() - start);
	CHECK(c.objects > 0);
	return check_done("closures");
}
