/* SPDX-License-Identifier: MIT */
/* The system call table: which calls name paths, where in their arguments, and what they mean.
 *
 * One row a call. Everything else of the engine is written in terms of rows, so that teaching it a
 * new call is adding a line to calls.c. Calls are found by architecture and number; names are
 * libseccomp's. */
#pragma once

#include <stdint.h>

/* What a call does to the path it names. A set: open(O_RDWR|O_CREAT) is READ|WRITE|MAKE. */
enum touch_kind {
	TOUCH_LOOK = 1u << 0,	 /* metadata, existence, chdir, chroot */
	TOUCH_READ = 1u << 1,	 /* opened for reading */
	TOUCH_WRITE = 1u << 2,	 /* opened for writing, truncated */
	TOUCH_LIST = 1u << 3,	 /* directory entries read */
	TOUCH_EXEC = 1u << 4,	 /* executed */
	TOUCH_MAKE = 1u << 5,	 /* made, where it is not there yet */
	TOUCH_REMOVE = 1u << 6,	 /* unlinked or renamed away */
	TOUCH_CHANGE = 1u << 7,	 /* owner, mode, times or attributes set */
	TOUCH_CONNECT = 1u << 8, /* a unix socket connected or sent to */
	TOUCH_BIND = 1u << 9,	 /* a unix socket bound */
	TOUCH_INTERP = 1u << 10, /* opened by the kernel for an execution */
	TOUCH_LINK = 1u << 11,	 /* a symbolic link that was followed */
	TOUCH_LISTED = 1u << 12, /* seen as an entry of a listed directory */
};

/* Where the last component's being a link is decided. */
enum follow {
	FOLLOW_YES,
	FOLLOW_NO,
	FOLLOW_SOURCE,	  /* as FOLLOW_YES, but only an absolute path is one: mount(2)'s source */
	FOLLOW_OPEN,	  /* open(2) flags in `flags` */
	FOLLOW_AT,	  /* AT_SYMLINK_NOFOLLOW in `flags` */
	FOLLOW_LINK,	  /* AT_SYMLINK_FOLLOW in `flags`, linkat(2) */
	FOLLOW_HOW,	  /* struct open_how at `flags`, openat2(2) */
	FOLLOW_UMOUNT,	  /* UMOUNT_NOFOLLOW in `flags` */
	FOLLOW_FANOTIFY,  /* FAN_MARK_DONT_FOLLOW in `flags` */
	FOLLOW_OPEN_TREE, /* AT_SYMLINK_NOFOLLOW, the flags differ otherwise */
};

/* How the arguments are to be read. */
enum shape {
	SHAPE_PATH,	/* a path, perhaps with a directory descriptor */
	SHAPE_SOCKADDR, /* a socket address at `path`, its length one argument later */
	SHAPE_DIRFD,	/* what is meant is the descriptor in `dirfd` itself (getdents, fchown) */
	SHAPE_RECEIPT,	/* something was received: only counted, and trapped only where asked for */
	SHAPE_REFUSE,	/* answered ENOSYS: its work would be invisible (io_uring) */
};

#define NO_ARG (-1)

/* One path of a call; a call with two has two. */
struct call_path {
	int8_t dirfd; /* argument, or NO_ARG: relative to the cwd */
	int8_t path;  /* argument */
	int8_t flags; /* argument, or NO_ARG */
	enum follow follow;
	unsigned kinds;
};

struct call {
	const char *name;
	int number; /* for calls younger than libseccomp; else 0 */
	enum shape shape;
	struct call_path paths[2];
	int8_t only_if;	      /* trap only where this argument is not 0; NO_ARG: always */
	int8_t changes_links; /* what names mean may change with it (rename, symlink, mount) */
};

/* Architectures the engine follows: the native one and its 32-bit companion. */
enum call_arch { ARCH_NATIVE, ARCH_COMPAT, ARCH_COUNT };

/* The row of call @nr under AUDIT_ARCH_* @audit_arch; NULL for calls (or architectures) that are
 * not in the table. */
const struct call *call_find(uint32_t audit_arch, int nr);

/* All rows, for tests and documentation. */
const struct call *call_table(int *ret_n);
