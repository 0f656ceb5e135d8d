/* SPDX-License-Identifier: MIT */
/* The mounts of the calling process that matter to a world: what proc_pid_mountinfo(5) lists, less
 * what the kernel itself provides (proc, sysfs, cgroup ...) and what another mount hides. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct mount {
	char *point; /* absolute */
	char *fstype;
	bool directory; /* or a single file bound over another */
	unsigned attr;	/* MOUNT_ATTR_RDONLY and its kin, as fsmount(2) takes them */
};

struct mount_table {
	struct mount *v; /* parents before children */
	size_t n;
};
#define MOUNT_TABLE_INIT                                                                           \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_MOUNT_TABLE CLEANUP(mount_table_done)

int mount_table_read(struct mount_table *ret, struct err *e);
void mount_table_done(struct mount_table *t);

/* Parses one line of mountinfo in place; false where it is malformed or not ours to overlay.
 * *ret_id is the mount id. Exposed for the unit test. */
bool mount_line_parse(char *line, struct mount *ret, unsigned long *ret_id);
