/* SPDX-License-Identifier: MIT */
#include "grow/calls.h"

#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "confine/bpf.h"

#define LOOK   TOUCH_LOOK
#define CHANGE TOUCH_CHANGE
#define MAKE   TOUCH_MAKE
#define REMOVE TOUCH_REMOVE

#define NONE                                                                                       \
	{                                                                                          \
		NO_ARG, NO_ARG, NO_ARG, FOLLOW_NO, 0                                               \
	}
/* Rows: ROW one path, TWO two paths. Argument numbers start at 0. */
#define ROW(name, dirfd, path, flags, follow, kinds)                                               \
	{                                                                                          \
		name, 0, SHAPE_PATH, {{dirfd, path, flags, follow, kinds}, NONE}, NO_ARG, 0        \
	}
#define NEW(name, nr, dirfd, path, flags, follow, kinds)                                           \
	{                                                                                          \
		name, nr, SHAPE_PATH, {{dirfd, path, flags, follow, kinds}, NONE}, NO_ARG, 0       \
	}
#define TWO(name, d1, p1, f1, fl1, k1, d2, p2, f2, fl2, k2)                                        \
	{                                                                                          \
		name, 0, SHAPE_PATH, {{d1, p1, f1, fl1, k1}, {d2, p2, f2, fl2, k2}}, NO_ARG, 1     \
	}
#define DESC(name, kinds)                                                                          \
	{                                                                                          \
		name, 0, SHAPE_DIRFD, {{0, NO_ARG, NO_ARG, FOLLOW_YES, kinds}, NONE}, NO_ARG, 0    \
	}
#define SOCK(name, addr, kinds, only_if)                                                           \
	{                                                                                          \
		name, 0, SHAPE_SOCKADDR, {{NO_ARG, addr, NO_ARG, FOLLOW_YES, kinds}, NONE},        \
		    only_if, 0                                                                     \
	}

#define RECEIPT(name)                                                                              \
	{                                                                                          \
		name, 0, SHAPE_RECEIPT, {NONE, NONE}, NO_ARG, 0                                    \
	}

/* Numbers from include/uapi/asm-generic/unistd.h: since 424 they are the same everywhere. */
/* clang-format off */
static const struct call table[] = {
	/* opening */
	ROW("open",        NO_ARG, 0, 1, FOLLOW_OPEN, 0),
	ROW("openat",      0, 1, 2, FOLLOW_OPEN, 0),
	ROW("openat2",     0, 1, 2, FOLLOW_HOW, 0),
	ROW("creat",       NO_ARG, 0, NO_ARG, FOLLOW_YES, TOUCH_WRITE | MAKE),
	ROW("name_to_handle_at", 0, 1, 4, FOLLOW_LINK, LOOK),
	ROW("open_tree",   0, 1, 2, FOLLOW_OPEN_TREE, LOOK),
	NEW("open_tree_attr", 467, 0, 1, 2, FOLLOW_OPEN_TREE, LOOK),
	/* looking */
	ROW("stat",        NO_ARG, 0, NO_ARG, FOLLOW_YES, LOOK),
	ROW("lstat",       NO_ARG, 0, NO_ARG, FOLLOW_NO, LOOK),
	ROW("stat64",      NO_ARG, 0, NO_ARG, FOLLOW_YES, LOOK),
	ROW("lstat64",     NO_ARG, 0, NO_ARG, FOLLOW_NO, LOOK),
	ROW("oldstat",     NO_ARG, 0, NO_ARG, FOLLOW_YES, LOOK),
	ROW("oldlstat",    NO_ARG, 0, NO_ARG, FOLLOW_NO, LOOK),
	ROW("newfstatat",  0, 1, 3, FOLLOW_AT, LOOK),
	ROW("fstatat64",   0, 1, 3, FOLLOW_AT, LOOK),
	ROW("statx",       0, 1, 2, FOLLOW_AT, LOOK),
	ROW("access",      NO_ARG, 0, NO_ARG, FOLLOW_YES, LOOK),
	ROW("faccessat",   0, 1, NO_ARG, FOLLOW_YES, LOOK),
	ROW("faccessat2",  0, 1, 3, FOLLOW_AT, LOOK),
	ROW("readlink",    NO_ARG, 0, NO_ARG, FOLLOW_NO, LOOK),
	ROW("readlinkat",  0, 1, NO_ARG, FOLLOW_NO, LOOK),
	ROW("statfs",      NO_ARG, 0, NO_ARG, FOLLOW_YES, LOOK),
	ROW("statfs64",    NO_ARG, 0, NO_ARG, FOLLOW_YES, LOOK),
	ROW("getxattr",    NO_ARG, 0, NO_ARG, FOLLOW_YES, LOOK),
	ROW("lgetxattr",   NO_ARG, 0, NO_ARG, FOLLOW_NO, LOOK),
	ROW("listxattr",   NO_ARG, 0, NO_ARG, FOLLOW_YES, LOOK),
	ROW("llistxattr",  NO_ARG, 0, NO_ARG, FOLLOW_NO, LOOK),
	NEW("getxattrat",  464, 0, 1, 2, FOLLOW_AT, LOOK),
	NEW("listxattrat", 465, 0, 1, 2, FOLLOW_AT, LOOK),
	NEW("file_getattr", 468, 0, 1, 4, FOLLOW_AT, LOOK),
	ROW("inotify_add_watch", NO_ARG, 1, NO_ARG, FOLLOW_YES, LOOK),
	ROW("fanotify_mark", 3, 4, 1, FOLLOW_FANOTIFY, LOOK),
	ROW("chdir",       NO_ARG, 0, NO_ARG, FOLLOW_YES, LOOK),
	ROW("chroot",      NO_ARG, 0, NO_ARG, FOLLOW_YES, LOOK),
	/* listing: the descriptor was opened before, so its path is known */
	DESC("getdents",   TOUCH_LIST),
	DESC("getdents64", TOUCH_LIST),
	/* changing by descriptor */
	DESC("fchmod",       CHANGE),
	DESC("fchown",       CHANGE),
	DESC("fchown32",     CHANGE),
	DESC("fsetxattr",    CHANGE),
	DESC("fremovexattr", CHANGE),
	/* executing */
	ROW("execve",      NO_ARG, 0, NO_ARG, FOLLOW_YES, TOUCH_EXEC),
	ROW("execveat",    0, 1, 4, FOLLOW_AT, TOUCH_EXEC),
	ROW("uselib",      NO_ARG, 0, NO_ARG, FOLLOW_YES, TOUCH_READ),
	/* making */
	ROW("mkdir",       NO_ARG, 0, NO_ARG, FOLLOW_NO, MAKE),
	ROW("mkdirat",     0, 1, NO_ARG, FOLLOW_NO, MAKE),
	ROW("mknod",       NO_ARG, 0, NO_ARG, FOLLOW_NO, MAKE),
	ROW("mknodat",     0, 1, NO_ARG, FOLLOW_NO, MAKE),
	{"symlink",    0, SHAPE_PATH, {{NO_ARG, 1, NO_ARG, FOLLOW_NO, MAKE}, NONE}, NO_ARG, 1},
	{"symlinkat",  0, SHAPE_PATH, {{1, 2, NO_ARG, FOLLOW_NO, MAKE}, NONE}, NO_ARG, 1},
	TWO("link",        NO_ARG, 0, NO_ARG, FOLLOW_NO, TOUCH_READ, NO_ARG, 1, NO_ARG, FOLLOW_NO, MAKE),
	TWO("linkat",      0, 1, 4, FOLLOW_LINK, TOUCH_READ, 2, 3, NO_ARG, FOLLOW_NO, MAKE),
	TWO("rename",      NO_ARG, 0, NO_ARG, FOLLOW_NO, REMOVE, NO_ARG, 1, NO_ARG, FOLLOW_NO, MAKE),
	TWO("renameat",    0, 1, NO_ARG, FOLLOW_NO, REMOVE, 2, 3, NO_ARG, FOLLOW_NO, MAKE),
	TWO("renameat2",   0, 1, NO_ARG, FOLLOW_NO, REMOVE, 2, 3, NO_ARG, FOLLOW_NO, MAKE),
	/* removing */
	ROW("unlink",      NO_ARG, 0, NO_ARG, FOLLOW_NO, REMOVE),
	ROW("unlinkat",    0, 1, NO_ARG, FOLLOW_NO, REMOVE),
	ROW("rmdir",       NO_ARG, 0, NO_ARG, FOLLOW_NO, REMOVE),
	/* changing */
	ROW("truncate",    NO_ARG, 0, NO_ARG, FOLLOW_YES, TOUCH_WRITE),
	ROW("truncate64",  NO_ARG, 0, NO_ARG, FOLLOW_YES, TOUCH_WRITE),
	ROW("chmod",       NO_ARG, 0, NO_ARG, FOLLOW_YES, CHANGE),
	ROW("fchmodat",    0, 1, NO_ARG, FOLLOW_YES, CHANGE),
	NEW("fchmodat2",   452, 0, 1, 3, FOLLOW_AT, CHANGE),
	ROW("chown",       NO_ARG, 0, NO_ARG, FOLLOW_YES, CHANGE),
	ROW("chown32",     NO_ARG, 0, NO_ARG, FOLLOW_YES, CHANGE),
	ROW("lchown",      NO_ARG, 0, NO_ARG, FOLLOW_NO, CHANGE),
	ROW("lchown32",    NO_ARG, 0, NO_ARG, FOLLOW_NO, CHANGE),
	ROW("fchownat",    0, 1, 4, FOLLOW_AT, CHANGE),
	ROW("utime",       NO_ARG, 0, NO_ARG, FOLLOW_YES, CHANGE),
	ROW("utimes",      NO_ARG, 0, NO_ARG, FOLLOW_YES, CHANGE),
	{"futimesat",  0, SHAPE_PATH, {{0, 1, NO_ARG, FOLLOW_YES, CHANGE}, NONE}, 1, 0},
	{"utimensat",  0, SHAPE_PATH, {{0, 1, 3, FOLLOW_AT, CHANGE}, NONE}, 1, 0},
	{"utimensat_time64", 0, SHAPE_PATH, {{0, 1, 3, FOLLOW_AT, CHANGE}, NONE}, 1, 0},
	ROW("setxattr",    NO_ARG, 0, NO_ARG, FOLLOW_YES, CHANGE),
	ROW("lsetxattr",   NO_ARG, 0, NO_ARG, FOLLOW_NO, CHANGE),
	ROW("removexattr", NO_ARG, 0, NO_ARG, FOLLOW_YES, CHANGE),
	ROW("lremovexattr", NO_ARG, 0, NO_ARG, FOLLOW_NO, CHANGE),
	NEW("setxattrat",  463, 0, 1, 2, FOLLOW_AT, CHANGE),
	NEW("removexattrat", 466, 0, 1, 2, FOLLOW_AT, CHANGE),
	NEW("file_setattr", 469, 0, 1, 4, FOLLOW_AT, CHANGE),
	/* mounting, in namespaces that the service makes itself */
	TWO("mount",       NO_ARG, 0, 3, FOLLOW_SOURCE, LOOK, NO_ARG, 1, NO_ARG, FOLLOW_YES, LOOK),
	TWO("move_mount",  0, 1, NO_ARG, FOLLOW_YES, LOOK, 2, 3, NO_ARG, FOLLOW_YES, LOOK),
	TWO("pivot_root",  NO_ARG, 0, NO_ARG, FOLLOW_YES, LOOK, NO_ARG, 1, NO_ARG, FOLLOW_YES, LOOK),
	ROW("umount2",     NO_ARG, 0, 1, FOLLOW_UMOUNT, LOOK),
	ROW("mount_setattr", 0, 1, 2, FOLLOW_AT, LOOK),
	/* sockets with names */
	SOCK("connect",    1, TOUCH_CONNECT, NO_ARG),
	SOCK("bind",       1, TOUCH_BIND | MAKE, NO_ARG),
	SOCK("sendto",     4, TOUCH_CONNECT, 4),
	/* what reaches a service */
	RECEIPT("accept"),
	RECEIPT("accept4"),
	RECEIPT("recvfrom"),
	RECEIPT("recvmsg"),
	RECEIPT("recvmmsg"),
	RECEIPT("recvmmsg_time64"),
	RECEIPT("recv"),
	/* refused: io_uring opens files that no filter and no supervisor sees */
	{"io_uring_setup", 0, SHAPE_REFUSE, {NONE, NONE}, NO_ARG, 0},
};
/* clang-format on */

#define MAX_NUMBER 512

struct index {
	uint32_t arch; /* AUDIT_ARCH_*, which is libseccomp's token too */
	const struct call *by_number[MAX_NUMBER];
};

static struct index indexes[ARCH_COUNT];

static void fill(struct index *ix, uint32_t arch)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		int nr = bpf_number(arch, table[i].name, table[i].number);
		if (nr >= 0 && nr < MAX_NUMBER)
			ix->by_number[nr] = &table[i];
	}
	ix->arch = arch;
}

static void fill_once(void)
{
	if (indexes[ARCH_NATIVE].arch)
		return;
	fill(&indexes[ARCH_NATIVE], seccomp_arch_native());
	if (bpf_companion())
		fill(&indexes[ARCH_COMPAT], bpf_companion());
}

const struct call *call_find(uint32_t audit_arch, int nr)
{
	fill_once();
	if (nr < 0 || nr >= MAX_NUMBER)
		return NULL;
	for (int i = 0; i < ARCH_COUNT; i++)
		if (indexes[i].arch == audit_arch)
			return indexes[i].by_number[nr];
	return NULL;
}

const struct call *call_table(int *ret_n)
{
	*ret_n = (int)ARRAY_LEN(table);
	return table;
}
