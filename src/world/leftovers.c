/* SPDX-License-Identifier: MIT */
#include "world/leftovers.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/sockets.h"
#include "fs/beneath.h"

enum {
	MAX_DEPTH = 8,
	MAX_ENTRIES = 20000,	   /* of /run */
	MAX_DESCRIPTORS = 1000000, /* of all processes */
	PID_FILE_MAX = 64,
};

static bool is_socket(const char *path)
{
	struct stat st;

	return fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0 &&
	       S_ISSOCK(st.st_mode);
}

/* Sockets whose names mean something to their owners alone, who bound them in a working directory
 * or a root of their own (Postfix: "private/smtp"). */
struct search {
	const struct socket_table *unknown;
	pid_t pid;
	struct strv *ret;
};

static void try_below(const struct search *s, const char *link, const char *path)
{
	char at[64], dir[PATH_MAX];

	snprintf(at, sizeof(at), "/proc/%d/%s", s->pid, link);
	ssize_t n = readlink(at, dir, sizeof(dir) - 1);
	dir[n > 0 ? n : 0] = '\0';
	if (dir[0] != '/')
		return;
	char *there = path_join(dir, path_relative(path));
	if (is_socket(there))
		strv_take(s->ret, there);
	else
		free(there);
}

static void ask_owner(void *user, unsigned long inode)
{
	const struct search *s = user;

	for (size_t i = 0; i < s->unknown->n; i++) {
		const char *path = socket_path(&s->unknown->v[i]);
		if (s->unknown->v[i].inode == inode)
			try_below(s, path[0] == '/' ? "root" : "cwd", path);
	}
}

static void ask_owners(const struct socket_table *unknown, struct strv *ret)
{
	struct search s = {.unknown = unknown, .ret = ret};
	size_t room = MAX_DESCRIPTORS;
	DIR *d = opendir("/proc");
	struct dirent *de;

	while (d && (de = readdir(d)))
		if ((s.pid = (pid_t)strtol(de->d_name, NULL, 10)) > 0)
			sockets_held(s.pid, &room, ask_owner, &s);
	if (d)
		closedir(d);
}

static void find_bound(struct strv *ret)
{
	struct socket_table t CLEANUP_SOCKET_TABLE = SOCKET_TABLE_INIT;
	size_t unknown = 0;

	sockets_read(0, "unix", &t);
	for (size_t i = 0; i < t.n; i++) {
		const char *path = socket_path(&t.v[i]);
		if (path && path[0] == '/' && is_socket(path))
			strv_add(ret, path);
		if (path && (path[0] != '/' || !is_socket(path))) {
			struct socket_row row = t.v[i];
			t.v[i] = t.v[unknown];
			t.v[unknown++] = row;
		}
	}
	const struct socket_table rest = {t.v, unknown};
	if (unknown)
		ask_owners(&rest, ret);
}

/* Whether @text is nothing but one number. */
static bool parse_pid(const char *text, size_t n, pid_t *ret)
{
	size_t i = 0;

	while (i < n && isspace((unsigned char)text[i]))
		i++;
	size_t from = i;
	for (*ret = 0; i < n && isdigit((unsigned char)text[i]) && *ret < INT_MAX / 10 - 1; i++)
		*ret = *ret * 10 + (text[i] - '0');
	bool any = i > from;
	while (i < n && isspace((unsigned char)text[i]))
		i++;
	return any && i == n;
}

/* A number in a file that is called so, or that is one of a process: not every number below /run is
 * a pid. */
static bool is_pid_file(int dir, const char *name)
{
	char text[PID_FILE_MAX + 1];
	struct stat st;
	pid_t pid;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
	    !st.st_size || st.st_size > PID_FILE_MAX)
		return false;
	CLEANUP_FD int fd =
	    openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	if (n <= 0 || !parse_pid(text, (size_t)n, &pid))
		return false;
	return str_ends(name, "pid") || (pid > 1 && (kill(pid, 0) == 0 || errno == EPERM));
}

/* The host's own directory is walked: each step in a fresh overlay costs ten times as much. */
static void find(int parent, const char *path, int depth, int *room, struct strv *ret)
{
	CLEANUP_FD int fd =
	    openat(parent, path_base(path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(dup(fd));
	struct dirent *de;

	while (d && (*room)-- > 0 && (de = readdir(d))) {
		if (!beneath_is_name(de->d_name))
			continue;
		CLEANUP_STR char *below = path_join(path, de->d_name);
		if (de->d_type == DT_DIR && depth)
			find(fd, below, depth - 1, room, ret);
		else if (de->d_type == DT_SOCK ||
			 (de->d_type == DT_REG && is_pid_file(fd, de->d_name)))
			strv_take(ret, steal_ptr(below));
	}
	if (d)
		closedir(d);
}

void leftovers_observe(struct strv *ret)
{
	CLEANUP_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int room = MAX_ENTRIES;

	find_bound(ret);
	find(root, "/run", MAX_DEPTH, &room, ret);
	strv_sort_unique(ret);
}

void leftovers_remove(int root, const struct strv *paths)
{
	struct stat st;

	for (size_t i = 0; i < paths->n; i++) {
		const char *name;
		CLEANUP_FD int dir = beneath_parent(root, paths->v[i], &name);
		if (dir >= 0 && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    (S_ISSOCK(st.st_mode) || S_ISREG(st.st_mode)))
			unlinkat(dir, name, 0);
	}
}
