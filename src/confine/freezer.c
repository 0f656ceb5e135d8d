/* SPDX-License-Identifier: MIT */
#include "confine/freezer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

/* How long the kernel may take. */
#define PATIENCE_MS 5000

/* cgroup-v2.rst; freezer-subsystem.rst. */
static const struct {
	const char *file, *words[2]; /* thawed, frozen */
	const char *state;	     /* the file that says how far it is */
	const char *reached[2];	     /* and what stands in it then */
} kinds[] = {
    {"cgroup.freeze", {"0", "1"}, "cgroup.events", {"frozen 0", "frozen 1"}},
    {"freezer.state", {"THAWED", "FROZEN"}, "freezer.state", {"THAWED", "FROZEN"}},
};

/* The directory of @c that can, the last such kind being @ret_kind; or NULL. */
static const char *find(const struct cgroup *c, size_t *ret_kind)
{
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
		for (size_t i = 0; i < c->n; i++) {
			CLEANUP_STR char *path = path_join(c->dirs[i], kinds[k].file);
			*ret_kind = k;
			if (access(path, W_OK) == 0)
				return c->dirs[i];
		}
	return NULL;
}

bool freezer_has(const struct cgroup *c)
{
	size_t kind;
	return find(c, &kind) != NULL;
}

static bool reached(const char *dir, size_t kind, bool frozen)
{
	char text[128];
	CLEANUP_STR char *path = path_join(dir, kinds[kind].state);
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	return strstr(text, kinds[kind].reached[frozen]) != NULL;
}

bool freezer_frozen(const struct cgroup *c)
{
	size_t kind;
	const char *dir = find(c, &kind);
	return dir && reached(dir, kind, true);
}

static int ask(const char *dir, size_t kind, bool frozen)
{
	const char *word = kinds[kind].words[frozen];
	CLEANUP_STR char *path = path_join(dir, kinds[kind].file);
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_all(fd, word, strlen(word));
}

int freezer_set(const struct cgroup *c, bool frozen)
{
	const struct timespec moment = {.tv_nsec = 2000000};
	long end = clock_ms() + PATIENCE_MS;
	size_t kind;
	const char *dir = find(c, &kind);

	if (!dir)
		return -EOPNOTSUPP;
	int r = ask(dir, kind, frozen);
	while (r == 0 && !reached(dir, kind, frozen)) {
		if (clock_ms() > end)
			r = -ETIME;
		nanosleep(&moment, NULL);
	}
	if (r == -ETIME && frozen)
		ask(dir, kind, false);
	return r;
}
