/* SPDX-License-Identifier: MIT */
/* The operations of the program `marked`: one for each row of the system call table (src/grow/
 * calls.c), each on a path of its own below the directory it is given. The test holds the record
 * against these rows. */
#pragma once

#include <stddef.h>

#include "grow/calls.h"

/* What stands at DIR/CALL (and at DIR/CALL.to) before the program comes. */
enum fixture { NOTHING, PLAIN_FILE, DIRECTORY, SYMLINK, SOCKET, SCRIPT };

struct mark {
	const char *call;
	enum fixture is;
	unsigned kinds;
	const char *second; /* name after DIR/CALL of the second path, or NULL */
	enum fixture second_is;
	unsigned second_kinds;
};

#define MARK(call, is, kinds)                                                                      \
	{                                                                                          \
		call, is, kinds, NULL, NOTHING, 0                                                  \
	}

static const struct mark marks[] = {
    MARK("open", PLAIN_FILE, TOUCH_READ),
    MARK("openat", PLAIN_FILE, TOUCH_READ),
    MARK("openat2", PLAIN_FILE, TOUCH_READ),
    MARK("creat", PLAIN_FILE, TOUCH_WRITE | TOUCH_MAKE),
    MARK("name_to_handle_at", PLAIN_FILE, TOUCH_LOOK),
    MARK("open_tree", PLAIN_FILE, TOUCH_LOOK),
    MARK("open_tree_attr", PLAIN_FILE, TOUCH_LOOK),
    MARK("stat", PLAIN_FILE, TOUCH_LOOK),
    MARK("lstat", SYMLINK, TOUCH_LOOK),
    MARK("stat64", PLAIN_FILE, TOUCH_LOOK),
    MARK("lstat64", SYMLINK, TOUCH_LOOK),
    MARK("oldstat", PLAIN_FILE, TOUCH_LOOK),
    MARK("oldlstat", SYMLINK, TOUCH_LOOK),
    MARK("newfstatat", PLAIN_FILE, TOUCH_LOOK),
    MARK("fstatat64", PLAIN_FILE, TOUCH_LOOK),
    MARK("statx", PLAIN_FILE, TOUCH_LOOK),
    MARK("access", PLAIN_FILE, TOUCH_LOOK),
    MARK("faccessat", PLAIN_FILE, TOUCH_LOOK),
    MARK("faccessat2", PLAIN_FILE, TOUCH_LOOK),
    MARK("readlink", SYMLINK, TOUCH_LOOK),
    MARK("readlinkat", SYMLINK, TOUCH_LOOK),
    MARK("statfs", DIRECTORY, TOUCH_LOOK),
    MARK("statfs64", DIRECTORY, TOUCH_LOOK),
    MARK("getxattr", PLAIN_FILE, TOUCH_LOOK),
    MARK("lgetxattr", PLAIN_FILE, TOUCH_LOOK),
    MARK("listxattr", PLAIN_FILE, TOUCH_LOOK),
    MARK("llistxattr", PLAIN_FILE, TOUCH_LOOK),
    MARK("getxattrat", PLAIN_FILE, TOUCH_LOOK),
    MARK("listxattrat", PLAIN_FILE, TOUCH_LOOK),
    MARK("file_getattr", PLAIN_FILE, TOUCH_LOOK),
    MARK("inotify_add_watch", PLAIN_FILE, TOUCH_LOOK),
    MARK("fanotify_mark", PLAIN_FILE, TOUCH_LOOK),
    MARK("chdir", DIRECTORY, TOUCH_LOOK),
    MARK("chroot", DIRECTORY, TOUCH_LOOK),
    MARK("getdents", DIRECTORY, TOUCH_READ | TOUCH_LIST),
    MARK("getdents64", DIRECTORY, TOUCH_READ | TOUCH_LIST),
    MARK("fchmod", PLAIN_FILE, TOUCH_READ | TOUCH_CHANGE),
    MARK("fchown", PLAIN_FILE, TOUCH_READ | TOUCH_CHANGE),
    MARK("fchown32", PLAIN_FILE, TOUCH_READ | TOUCH_CHANGE),
    MARK("fsetxattr", PLAIN_FILE, TOUCH_READ | TOUCH_CHANGE),
    MARK("fremovexattr", PLAIN_FILE, TOUCH_READ | TOUCH_CHANGE),
    /* a script: its interpreter reads it */
    MARK("execve", SCRIPT, TOUCH_EXEC | TOUCH_READ),
    MARK("execveat", SCRIPT, TOUCH_EXEC | TOUCH_READ),
    MARK("uselib", PLAIN_FILE, TOUCH_READ),
    MARK("mkdir", NOTHING, TOUCH_MAKE),
    MARK("mkdirat", NOTHING, TOUCH_MAKE),
    MARK("mknod", NOTHING, TOUCH_MAKE),
    MARK("mknodat", NOTHING, TOUCH_MAKE),
    MARK("symlink", NOTHING, TOUCH_MAKE),
    MARK("symlinkat", NOTHING, TOUCH_MAKE),
    {"link", PLAIN_FILE, TOUCH_READ, ".to", NOTHING, TOUCH_MAKE},
    {"linkat", PLAIN_FILE, TOUCH_READ, ".to", NOTHING, TOUCH_MAKE},
    {"rename", PLAIN_FILE, TOUCH_REMOVE, ".to", NOTHING, TOUCH_MAKE},
    {"renameat", PLAIN_FILE, TOUCH_REMOVE, ".to", PLAIN_FILE, TOUCH_MAKE},
    {"renameat2", PLAIN_FILE, TOUCH_REMOVE, ".to", NOTHING, TOUCH_MAKE},
    MARK("unlink", PLAIN_FILE, TOUCH_REMOVE),
    MARK("unlinkat", PLAIN_FILE, TOUCH_REMOVE),
    MARK("rmdir", DIRECTORY, TOUCH_REMOVE),
    MARK("truncate", PLAIN_FILE, TOUCH_WRITE),
    MARK("truncate64", PLAIN_FILE, TOUCH_WRITE),
    MARK("chmod", PLAIN_FILE, TOUCH_CHANGE),
    MARK("fchmodat", PLAIN_FILE, TOUCH_CHANGE),
    MARK("fchmodat2", PLAIN_FILE, TOUCH_CHANGE),
    MARK("chown", PLAIN_FILE, TOUCH_CHANGE),
    MARK("chown32", PLAIN_FILE, TOUCH_CHANGE),
    MARK("lchown", SYMLINK, TOUCH_CHANGE),
    MARK("lchown32", SYMLINK, TOUCH_CHANGE),
    MARK("fchownat", PLAIN_FILE, TOUCH_CHANGE),
    MARK("utime", PLAIN_FILE, TOUCH_CHANGE),
    MARK("utimes", PLAIN_FILE, TOUCH_CHANGE),
    MARK("futimesat", PLAIN_FILE, TOUCH_CHANGE),
    MARK("utimensat", PLAIN_FILE, TOUCH_CHANGE),
    MARK("utimensat_time64", PLAIN_FILE, TOUCH_CHANGE),
    MARK("setxattr", PLAIN_FILE, TOUCH_CHANGE),
    MARK("lsetxattr", PLAIN_FILE, TOUCH_CHANGE),
    MARK("removexattr", PLAIN_FILE, TOUCH_CHANGE),
    MARK("lremovexattr", PLAIN_FILE, TOUCH_CHANGE),
    MARK("setxattrat", PLAIN_FILE, TOUCH_CHANGE),
    MARK("removexattrat", PLAIN_FILE, TOUCH_CHANGE),
    MARK("file_setattr", PLAIN_FILE, TOUCH_CHANGE),
    {"mount", DIRECTORY, TOUCH_LOOK, ".to", DIRECTORY, TOUCH_LOOK},
    {"move_mount", DIRECTORY, TOUCH_LOOK, ".to", DIRECTORY, TOUCH_LOOK},
    {"pivot_root", DIRECTORY, TOUCH_LOOK, "/old", DIRECTORY, TOUCH_LOOK},
    MARK("umount2", DIRECTORY, TOUCH_LOOK),
    MARK("mount_setattr", DIRECTORY, TOUCH_LOOK),
    MARK("connect", SOCKET, TOUCH_CONNECT),
    MARK("bind", NOTHING, TOUCH_BIND | TOUCH_MAKE),
    MARK("sendto", SOCKET, TOUCH_CONNECT),
    MARK("io_uring_setup", NOTHING, 0),
};

#define N_MARKS (sizeof(marks) / sizeof(marks[0]))

/* Of the program only: */

/* Runs @fn in a process of its own and prints how that ended where it ended badly. */
void apart(const char *name, void (*fn)(const char *name));

/* "ok", or the name of @r's errno where it is negative. */
const char *outcome_word(long r);

/* The raw call of the 32-bit ABI; -ENOSYS on other architectures. */
long int80(long nr, long a, long b, long c, long d, long e);
int int80_works(void);

/* Prints "NAME: its first bytes" or "NAME: ENOENT". */
void cat(const char *path);

/* Into a mount namespace of its own. */
void own_mounts(void);

/* All scenes, in directories of their names below the cwd. */
void scenes(void);
