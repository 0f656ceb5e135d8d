/* SPDX-License-Identifier: MIT */
/* What a boot of the host makes: the directories of tmpfiles.d(5). */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct boot_dir {
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/* Whether the boot of the host whose root is @host (O_PATH) makes directory @path, and how: what
 * /etc says goes before /run and /usr/lib, and the first file by name before the others. Names that
 * the host's passwd and group do not have are root's. */
bool boot_dir_find(int host, const char *path, struct boot_dir *ret);
