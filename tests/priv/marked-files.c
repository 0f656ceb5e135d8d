/* SPDX-License-Identifier: MIT */
/* More scenes: listings, metadata, and changes of what was there. */
#include "marked.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static void told(const char *what, long r)
{
	dprintf(1, "%s: %s\n", what, r < 0 ? strerrorname_np(errno) : "ok");
}

static int visible(const struct dirent *de)
{
	return de->d_name[0] != '.' || strlen(de->d_name) > 2;
}

static int list(const char *dir, struct dirent ***names)
{
	int n = scandir(dir, names, visible, alphasort);

	dprintf(1, "%s: %d entries\n", dir, n);
	return n;
}

/* A listing alone must name all, with their types. */
static void list_names(const char *dir)
{
	struct dirent **names;
	int n = list(dir, &names);

	for (int i = 0; i < n; i++)
		dprintf(1, "%s %d\n", names[i]->d_name, names[i]->d_type);
}

/* What was listed can be looked at and read: the real bytes, never the stand-in's. */
static void listing(const char *name)
{
	struct dirent **names;
	struct stat st;

	(void)name;
	list_names("many");
	int n = list("many", &names);
	for (int i = n - 1; i >= 0; i--) {
		char path[300];
		snprintf(path, sizeof(path), "many/%s", names[i]->d_name);
		if (lstat(path, &st) < 0)
			dprintf(1, "%s: %m\n", path);
		dprintf(1, "%s %o %lld\n", path, st.st_mode,
			(long long)(S_ISREG(st.st_mode) ? st.st_size : 0));
		if (S_ISREG(st.st_mode))
			cat(path);
	}
	cat("many/dir/inside");
}

/* Two names of one file, both listed; the second is read first. */
static void hard(const char *name)
{
	struct stat a = {0}, b = {0};

	(void)name;
	list_names("pair");
	cat("pair/two");
	cat("pair/one");
	told("stat", stat("pair/one", &a) | stat("pair/two", &b));
	dprintf(1, "same %d, links %lu\n", a.st_ino == b.st_ino, (unsigned long)a.st_nlink);
	/* not listed */
	cat("unlisted/one");
	cat("unlisted/two");
	told("stat", stat("unlisted/one", &a) | stat("unlisted/two", &b));
	dprintf(1, "same %d, links %lu\n", a.st_ino == b.st_ino, (unsigned long)a.st_nlink);
}

/* What a directory holds moves with it. */
static void renamed(const char *name)
{
	(void)name;
	list_names("listed");
	told("rename", rename("listed", "listed2"));
	cat("listed2/x");
	cat("listed2/sub/y");
	cat("listed/x");
	told("rename", rename("unlisted", "unlisted2"));
	cat("unlisted2/x");
	told("onto full", rename("empty", "full"));
	told("rmdir full", rmdir("full"));
	told("rmdir empty", rmdir("empty"));
	told("exchange", renameat2(AT_FDCWD, "left", AT_FDCWD, "right", RENAME_EXCHANGE));
	cat("left/r");
	cat("right/l");
}

/* A stand-in under other names: a hard link, a bind mount. */
static void aliases(const char *name)
{
	(void)name;
	list_names("d");
	told("link", link("d/x", "d/alias"));
	cat("d/alias");
	cat("d/x");
	own_mounts();
	told("bind", mount("d", "m", NULL, MS_BIND, NULL));
	cat("m/y");
}

static void show_xattrs(const char *path)
{
	char names[1024];
	unsigned char value[256];
	ssize_t n = llistxattr(path, names, sizeof(names));

	for (char *x = names; n > 0 && x < names + n; x += strlen(x) + 1) {
		ssize_t len = lgetxattr(path, x, value, sizeof(value));
		dprintf(1, "  %s =", x);
		for (ssize_t i = 0; i < len; i++)
			dprintf(1, " %02x", value[i]);
		dprintf(1, "\n");
	}
}

static void show(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0) {
		dprintf(1, "%s: %m\n", path);
		return;
	}
	dprintf(1, "%s %o %u:%u %lld m=%lld.%09ld sparse=%d\n", path, st.st_mode, st.st_uid,
		st.st_gid, (long long)(S_ISDIR(st.st_mode) ? 0 : st.st_size),
		(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
		S_ISREG(st.st_mode) && st.st_blocks * 512 < st.st_size);
	show_xattrs(path);
}

static void meta(const char *name)
{
	static const char *const paths[] = {"plain", "mode", "owner", "time",	"xattr", "acl",
					    "cap",   "link", "fifo",  "sparse", "socket"};

	(void)name;
	show("dir");
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		show(paths[i]);
	cat("dir/a"); /* what comes into a directory does not change its times */
	cat("dir/sub/b");
	show("dir");
	show("dir/sub");
	list_names("dir");
	show("dir");
	show("dir/sub/b");
}

/* The service's own changes win over the host's files. */
static void changes(const char *name)
{
	struct stat st;

	(void)name;
	told("unlink", unlink("gone"));
	cat("gone");
	told("exclusive", open("there", O_RDWR | O_CREAT | O_EXCL, 0644));
	told("mkdir", mkdir("dir", 0755));
	told("symlink", symlink("x", "there"));
	told("mknod", mknod("there", S_IFIFO | 0600, 0));
	told("link", link("there", "dir"));
	told("append", write(open("there", O_WRONLY | O_APPEND), "+", 1));
	cat("there");
	told("trunc", open("cut", O_WRONLY | O_TRUNC));
	cat("cut");
	told("replace", rename("there", "over"));
	cat("over");
	cat("there");
	told("create", write(open("new", O_WRONLY | O_CREAT, 0640), "new", 3));
	cat("new");
	told("make", mkdir("made", 0750));
	told("create", write(open("made/in", O_WRONLY | O_CREAT, 0640), "in", 2));
	cat("made/in");
	told("unlink", unlink("made/in"));
	told("rmdir", rmdir("made"));
	told("stat", stat("made", &st));
	told("tmpfile", open("dir", O_TMPFILE | O_RDWR, 0600));
	cat("dir/in");
	told("file as dir", open("over/x", O_RDONLY));
}

/* By handle a file is opened that no filter sees by name; the path was told when the handle was
 * made. */
static void handles(const char *name)
{
	union {
		struct file_handle h;
		char room[256];
	} u = {.h.handle_bytes = 200};
	int mount_id, dir = open(".", O_RDONLY | O_DIRECTORY);

	(void)name;
	if (name_to_handle_at(AT_FDCWD, "file", &u.h, &mount_id, 0) < 0) {
		cat("file"); /* this file system has no handles */
		return;
	}
	int fd = open_by_handle_at(dir, &u.h, O_RDONLY);
	char buf[32] = "";
	dprintf(1, "file: %s\n", fd >= 0 && read(fd, buf, sizeof(buf) - 1) > 0 ? buf : "unread");
}

void scene(const char *name, void (*fn)(const char *name));
void scenes_of_files(void);

void scenes_of_files(void)
{
	scene("listing", listing);
	scene("hard", hard);
	scene("renamed", renamed);
	scene("aliases", aliases);
	scene("meta", meta);
	scene("changes", changes);
	scene("handles", handles);
}
