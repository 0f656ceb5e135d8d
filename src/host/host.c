/* SPDX-License-Identifier: MIT */
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "fs/dir.h"

#define MAX_LINKS 40 /* include/linux/namei.h: MAXSYMLINKS */

struct resolving {
	int root, budget;
	char *at;   /* canonical so far */
	char *rest; /* still to walk */
	struct strv *links;
};

/* Puts the target of the link at @path in front of the rest. */
static int enter_link(struct resolving *w, const char *path)
{
	char target[PATH_MAX];
	if (path_within(path, "/proc"))
		return -ELOOP; /* a process's own links (/dev/stderr): they are ours, not the
				  service's */
	int r = w->budget-- > 0 ? beneath_readlink(w->root, path, target, sizeof(target)) : -ELOOP;

	if (r < 0)
		return r;
	if (w->links)
		strv_add(w->links, path);
	char *rest = path_join(target, w->rest);
	free(w->rest);
	w->rest = rest;
	if (target[0] == '/') {
		free(w->at);
		w->at = xstrdup("/");
	}
	return 0;
}

/* Trailing slashes are no component. */
static bool at_end(const struct resolving *w)
{
	return w->rest[strspn(w->rest, "/")] == '\0';
}

static void replace(char **s, char *by)
{
	free(*s);
	*s = by;
}

/* Walks one component off the rest; *st is that of where it stands then. */
static int step(struct resolving *w, struct stat *st)
{
	size_t skip = strspn(w->rest, "/"), n = strcspn(w->rest + skip, "/");
	CLEANUP_STR char *name = xstrndup(w->rest + skip, n);

	memmove(w->rest, w->rest + skip + n, strlen(w->rest + skip + n) + 1);
	if (streq(name, ".."))
		replace(&w->at, path_parent(w->at));
	if (!*name || streq(name, ".") || streq(name, ".."))
		return beneath_lstat(w->root, w->at, st);
	CLEANUP_STR char *next = path_join(w->at, name);
	int r = beneath_lstat(w->root, next, st);
	if (r < 0)
		return r;
	if (S_ISLNK(st->st_mode))
		return enter_link(w, next);
	replace(&w->at, steal_ptr(next));
	return !at_end(w) && !S_ISDIR(st->st_mode) ? -ENOTDIR : 0;
}

/* Most paths are canonical already: one look instead of one a component. */
static bool is_canonical(int root, const char *path, struct stat *st)
{
	CLEANUP_STR char *normal = path_normal(path);
	return streq(normal, path) && beneath_lstat(root, path, st) == 0 && !S_ISLNK(st->st_mode);
}

int host_resolve(int root, const char *path, char **ret, struct stat *ret_st, struct strv *links)
{
	struct stat st;
	struct resolving w = {.root = root, .budget = MAX_LINKS, .links = links};
	int r = path[0] == '/' ? 0 : -EINVAL;

	if (r == 0 && is_canonical(root, path, &st)) {
		w.at = xstrdup(path);
	} else if (r == 0) {
		w.at = xstrdup("/");
		w.rest = xstrdup(path);
		do
			r = step(&w, &st);
		while (r == 0 && !at_end(&w));
		if (r == 0 &&
		    S_ISLNK(st.st_mode)) /* to "/": there was no component left to look at */
			r = beneath_lstat(root, w.at, &st);
	}
	if (r == 0 && ret_st)
		*ret_st = st;
	if (r == 0)
		*ret = steal_ptr(w.at);
	free(w.at);
	free(w.rest);
	return r;
}

static int open_file(int root, const char *path)
{
	struct stat st;
	CLEANUP_FD int fd = beneath_open_nolink(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	return take_fd(&fd);
}

int host_read(int root, const char *path, size_t max, char **ret, size_t *ret_len)
{
	CLEANUP_FD int fd = open_file(root, path);
	return fd < 0 ? fd : fd_read_all(fd, max, ret, ret_len);
}

int host_read_path(int root, const char *path, size_t max, char **ret, size_t *ret_len)
{
	CLEANUP_STR char *canonical = NULL;
	int r = host_resolve(root, path, &canonical, NULL, NULL);

	return r < 0 ? r : host_read(root, canonical, max, ret, ret_len);
}

int host_head(int root, const char *path, size_t max, char **ret, size_t *ret_len)
{
	CLEANUP_FD int fd = open_file(root, path);
	CLEANUP_STR char *buf = fd < 0 ? NULL : xcalloc(max + 1, 1);
	size_t len = 0;
	ssize_t n = 1;

	while (buf && len < max && (n = pread(fd, buf + len, max - len, (off_t)len)) > 0)
		len += (size_t)n;
	if (fd < 0 || n < 0)
		return fd < 0 ? fd : -errno;
	*ret = steal_ptr(buf);
	if (ret_len)
		*ret_len = len;
	return 0;
}

int host_names(int root, const char *path, struct strv *ret)
{
	CLEANUP_FD int fd = beneath_open_nolink(root, path, O_RDONLY | O_DIRECTORY, 0);
	return fd < 0 ? fd : dir_names(fd, ret);
}

static bool has_wildcard(const char *component)
{
	return strpbrk(component, "*?[") != NULL;
}

struct globbing {
	int root;
	size_t max;
	struct strv *ret;
};

static int expand(const struct globbing *g, const char *dir, const char *rest);

static int expand_names(const struct globbing *g, const char *dir, const char *pattern,
			const char *rest)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *canonical = NULL;

	if (host_resolve(g->root, dir, &canonical, NULL, NULL) < 0 ||
	    host_names(g->root, canonical, &names) < 0)
		return 0;
	for (size_t i = 0; i < names.n; i++) {
		if (fnmatch(pattern, names.v[i], FNM_PERIOD) != 0)
			continue;
		CLEANUP_STR char *path = path_join(dir, names.v[i]);
		int r = expand(g, path, rest);
		if (r)
			return r;
	}
	return 0;
}

static int expand(const struct globbing *g, const char *dir, const char *rest)
{
	rest += strspn(rest, "/");
	size_t n = strcspn(rest, "/");
	CLEANUP_STR char *component = xstrndup(rest, n);
	CLEANUP_STR char *canonical = NULL;

	if (has_wildcard(component))
		return expand_names(g, dir, component, rest + n);
	if (n) {
		CLEANUP_STR char *path = path_join(dir, component);
		return expand(g, path, rest + n);
	}
	if (host_resolve(g->root, dir, &canonical, NULL, NULL) < 0)
		return 0;
	if (g->ret->n >= g->max)
		return 1;
	strv_add(g->ret, dir);
	return 0;
}

int host_glob(int root, const char *pattern, size_t max, struct strv *ret)
{
	const struct globbing g = {.root = root, .max = ret->n + max, .ret = ret};
	return pattern[0] == '/' && strlen(pattern) < PATH_MAX ? expand(&g, "/", pattern) : -EINVAL;
}
