/* SPDX-License-Identifier: MIT */
#include "marked-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "elf/interp.h"
#include "fs/beneath.h"
#include "marked.h"

#define BIG_SIZE (12 << 20)

/* "x/" is a directory, "x -> y" a link ("@" stands for the fixture's directory), "x = text" a file,
 * "x" a file that holds its own path. */
static const char *const files[] = {
    "cwd/one/a",
    "cwd/two/b",
    "cwd/three/c",
    "cwd/three/d",
    "cwd/three/e",
    "in_root/root/a",
    "in_root/root/b",
    "in_root/root/c",
    "in_root/root/link -> /b",
    "links/l1 -> l2",
    "links/l2 -> @/links/dir",
    "links/dir/up -> ../other/file",
    "links/other/file",
    "links/l3 -> l1",
    "links/dangling -> nowhere",
    "links/loop -> loop",
    "proc/a",
    "proc/b",
    "proc/fds/c",
    "proc/fds/d",
    "proc/e",
    "proc/other/a",
    "chrooted/root/inside",
    "chrooted/root/real",
    "chrooted/root/abs -> /real",
    "chrooted/before",
    "chrooted/root/up",
    "chrooted/outside",
    "threads/cwd0/t",
    "threads/cwd1/t",
    "threads/cwd2/t",
    "threads/cwd3/t",
    "threads/cwd4/t",
    "threads/cwd5/t",
    "threads/cwd6/t",
    "threads/cwd7/t",
    "vforked/script = #!/bin/sh\necho vforked ran\n",
    "daemonized/file",
    "fexec/",
    "script/a = #!@/script/b one\n",
    "script/b = #!c two\n",
    "script/c = #!/bin/sh\necho \"chain $*\"\n",
    "sockets/sub/",
    "devices/",
    "pty/",
    "abi/file",
    "set_uid/",
    "caps/",
    "own_filter/file",
    "signals/",
    "big/",
    "listing/many/",
    "listing/many/dir/inside",
    "listing/many/link -> a",
    "listing/many/a",
    "listing/many/b",
    "listing/many/empty = ",
    "listing/many/c",
    "hard/pair/one",
    "hard/unlisted/one",
    "renamed/listed/x",
    "renamed/listed/sub/y",
    "renamed/unlisted/x",
    "renamed/full/z",
    "renamed/empty/",
    "renamed/left/l",
    "renamed/right/r",
    "aliases/d/x",
    "aliases/d/y",
    "aliases/m/",
    "meta/plain",
    "meta/mode",
    "meta/owner",
    "meta/time",
    "meta/xattr",
    "meta/acl",
    "meta/cap",
    "meta/link -> plain",
    "meta/dir/a",
    "meta/dir/sub/b",
    "meta/dir/c",
    "changes/gone",
    "changes/there",
    "changes/cut",
    "changes/over",
    "changes/dir/in",
    "handles/file",
};

static const char *root;

static void must(bool good, const char *what)
{
	if (good)
		return;
	printf("fixture: %s: %s\n", what, strerror(errno));
	exit(1);
}

static char *put_root(const char *text)
{
	const char *at = strchr(text, '@');
	return at ? xasprintf("%.*s%s%s", (int)(at - text), text, root, at + 1) : xstrdup(text);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	must(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0, path);
}

static void make_parents(const char *path)
{
	CLEANUP_FD int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_STR char *up = path_parent(path);
	must(beneath_mkdirs(fd, up, 0755) == 0, path);
}

static void make_one(const char *line)
{
	const char *link = strstr(line, " -> "), *text = strstr(line, " = ");
	size_t len = link ? (size_t)(link - line) : text ? (size_t)(text - line) : strlen(line);
	CLEANUP_STR char *path = xasprintf("%s/%.*s", root, (int)len, line);
	CLEANUP_STR char *content = put_root(link ? link + 4 : text ? text + 3 : line);

	make_parents(path);
	if (link)
		must(symlink(content, path) == 0, path);
	else if (path[strlen(path) - 1] == '/')
		must(mkdir(path, 0755) == 0 || errno == EEXIST, path);
	else
		write_file(path, content, 0755);
}

static char *at(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned next;
	char *to = paths[next++ % 4];

	snprintf(to, PATH_MAX, "%s/%s", root, name);
	return to;
}

static void make_socket(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	CLEANUP_FD int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(strlen(path) < sizeof(un.sun_path), path);
	memcpy(un.sun_path, path, strlen(path));
	must(bind(s, (struct sockaddr *)&un, sizeof(un)) == 0, path);
}

static void make_fixture(const char *path, enum fixture is)
{
	CLEANUP_STR char *script = xasprintf("#!/bin/sh\necho %s: ran\n", path_base(path));

	switch (is) {
	case NOTHING:
		return;
	case PLAIN_FILE:
		write_file(path, path, 0644);
		must(setxattr(path, "user.x", "value", 5, 0) == 0, path);
		return;
	case SCRIPT:
		write_file(path, script, 0755);
		return;
	case DIRECTORY:
		must(mkdir(path, 0755) == 0, path);
		return;
	case SYMLINK:
		must(symlink("nowhere/at-all", path) == 0, path);
		return;
	case SOCKET:
		make_socket(path);
	}
}

static void make_marks(void)
{
	for (size_t i = 0; i < N_MARKS; i++) {
		const struct mark *m = &marks[i];
		CLEANUP_STR char *path = xasprintf("%s/%s", root, m->call);
		CLEANUP_STR char *second = xasprintf("%s%s", path, m->second ? m->second : "");
		make_fixture(path, m->is);
		if (m->second)
			make_fixture(second, m->second_is);
	}
}

static void copy_program(const char *from, const char *to, const char *interp)
{
	CLEANUP_FD int in = open(from, O_RDONLY | O_CLOEXEC);
	CLEANUP_FD int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	CLEANUP_STR char *data = NULL;
	char old[PATH_MAX];
	enum interp_kind kind;
	size_t len = 0;

	must(in >= 0 && out >= 0 && fd_read_all(in, 64 << 20, &data, &len) == 0, from);
	if (interp) {
		must(interp_find_fd(in, old, sizeof(old), &kind) == 0 && kind == INTERP_ELF, from);
		char *where = memmem(data, len, old, strlen(old) + 1);
		must(where && strlen(interp) <= strlen(old), "interpreter");
		memset(where, 0, strlen(old));
		memcpy(where, interp, strlen(interp));
	}
	must(fd_write_all(out, data, len) == 0, to);
}

static void make_programs(const char *program)
{
	char loader[PATH_MAX];
	enum interp_kind kind;
	CLEANUP_FD int fd = open(program, O_RDONLY | O_CLOEXEC);
	/* VFS_CAP_REVISION_2 | effective; permitted and inheritable, low and high words */
	const uint32_t cap_nice[5] = {0x02000001, 1u << 23, 0, 0, 0};

	must(interp_find_fd(fd, loader, sizeof(loader), &kind) == 0, program);
	copy_program(loader, at("ld"), NULL);
	copy_program(program, at("fexec/tool"), at("ld"));
	copy_program(program, at("set_uid/suid"), NULL);
	must(chmod(at("set_uid/suid"), 04755) == 0, "chmod");
	copy_program("/usr/bin/nice", at("caps/capable"), NULL);
	must(setxattr(at("caps/capable"), "security.capability", cap_nice, sizeof(cap_nice), 0) ==
		 0,
	     "file capability");
}

static void make_meta(void)
{
	/* user::rw- user:65534:r-- group::r-- mask::r-- other::--- as acl(5) is stored */
	static const unsigned char acl[] = {
	    2, 0,   0,	 0,   1,   0,	6,    0, 255, 255, 255, 255, 2,	  0,	4,
	    0, 254, 255, 0,   0,   4,	0,    4, 0,   255, 255, 255, 255, 0x10, 0,
	    4, 0,   255, 255, 255, 255, 0x20, 0, 0,   0,   255, 255, 255, 255};
	const uint32_t cap[5] = {0x02000001, 1u << 10, 0, 0, 0};
	const struct timespec old[2] = {{1000000000, 123456789}, {999999999, 987654321}};

	must(chmod(at("meta/mode"), 06751) == 0, "mode");
	must(chown(at("meta/owner"), 12345, 54321) == 0, "owner");
	must(utimensat(AT_FDCWD, at("meta/time"), old, 0) == 0, "time");
	must(setxattr(at("meta/xattr"), "user.a", "1", 1, 0) == 0, "xattr");
	must(setxattr(at("meta/xattr"), "trusted.b", "\0\xff", 2, 0) == 0, "xattr");
	must(setxattr(at("meta/acl"), "system.posix_acl_access", acl, sizeof(acl), 0) == 0, "acl");
	must(setxattr(at("meta/cap"), "security.capability", cap, sizeof(cap), 0) == 0, "cap");
	must(mkfifo(at("meta/fifo"), 0640) == 0, "fifo");
	make_socket(at("meta/socket"));
	write_file(at("meta/sparse"), "begin", 0644);
	must(truncate(at("meta/sparse"), 3 << 20) == 0, "sparse");
	must(utimensat(AT_FDCWD, at("meta/link"), old, AT_SYMLINK_NOFOLLOW) == 0, "link");
	must(setxattr(at("meta/dir"), "user.d", "dir", 3, 0) == 0, "dir");
	must(utimensat(AT_FDCWD, at("meta/dir/sub"), old, 0) == 0, "dir");
	must(utimensat(AT_FDCWD, at("meta/dir"), old, 0) == 0, "dir");
}

static void make_big(void)
{
	CLEANUP_FD int fd = open(at("big/big"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	CLEANUP_STR char *data = xcalloc(BIG_SIZE, 1);
	char name[32];

	for (size_t i = 0; i < BIG_SIZE; i++)
		data[i] = (char)(i * 2654435761u >> 13);
	must(fd_write_all(fd, data, BIG_SIZE) == 0, "big");
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "signals/f%03d", i);
		write_file(at(name), "1234", 0644);
		snprintf(name, sizeof(name), "big/f%03d", i);
		write_file(at(name), "1234", 0644);
	}
}

void fixture_make(const char *dir, const char *program)
{
	root = dir;
	umask(022);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		make_one(files[i]);
	make_marks();
	make_programs(program);
	make_big();
	must(link(at("hard/pair/one"), at("hard/pair/two")) == 0, "link");
	must(link(at("hard/unlisted/one"), at("hard/unlisted/two")) == 0, "link");
	must(mkfifo(at("listing/many/fifo"), 0600) == 0, "fifo");
	make_socket(at("listing/many/socket"));
	must(mknod(at("devices/null"), S_IFCHR | 0666, makedev(1, 3)) == 0, "null");
	make_meta();
}
