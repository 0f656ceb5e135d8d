/* SPDX-License-Identifier: MIT */
#include "jail/drift.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "fs/beneath.h"
#include "jail/describe.h"

static bool same_owner(const struct stat *st, const struct entry *en)
{
	return st->st_mode == en->mode && st->st_uid == en->uid && st->st_gid == en->gid;
}

static bool same_target(int host, const struct entry *en)
{
	char target[PATH_MAX];

	return beneath_readlink(host, en->path, target, sizeof(target)) == 0 && en->link &&
	       streq(target, en->link);
}

/* File capabilities come and go without size or time: setcap(8). */
static bool same_capability(int host, const struct entry *en)
{
	static const char name[] = "security.capability";
	const char *sealed = en->xattrs ? strstr(en->xattrs, name) : NULL;
	unsigned char value[64];
	char proc[40], text[2 * sizeof(value) + sizeof(name) + 1];
	CLEANUP_FD int fd =
	    en->mode & 0111 ? beneath_open_nolink(host, en->path, O_PATH | O_NOFOLLOW, 0) : -1;

	if (fd < 0)
		return true;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	ssize_t n = getxattr(proc, name, value, sizeof(value));
	if (n <= 0 || !sealed)
		return n <= 0 && !sealed;
	int at = snprintf(text, sizeof(text), "%s=", name);
	for (ssize_t i = 0; i < n; i++)
		at += sprintf(text + at, "%02x", value[i]);
	return strncmp(sealed, text, (size_t)at) == 0 && (!sealed[at] || sealed[at] == ',');
}

bool drift_same(int host, const struct entry *en)
{
	bool made = en->provided == PROVIDED_MADE; /* from the host's file, of another size */
	struct stat st;

	if (en->provided == PROVIDED_COPY && S_ISLNK(en->mode))
		return same_target(host, en);
	if (!entry_is_held(en) || !S_ISREG(en->mode) || en->provided == PROVIDED_OWN)
		return true;
	return beneath_lstat(host, en->path, &st) == 0 && same_owner(&st, en) &&
	       (made || st.st_size == en->size) && st.st_mtim.tv_sec == en->mtime.tv_sec &&
	       st.st_mtim.tv_nsec == en->mtime.tv_nsec && (made || same_capability(host, en));
}

bool drift_same_content(int host, const struct entry *en)
{
	char hex[65];
	struct stat st;

	if (en->provided != PROVIDED_COPY || drift_same(host, en))
		return true;
	return S_ISREG(en->mode) && beneath_lstat(host, en->path, &st) == 0 &&
	       same_owner(&st, en) && same_capability(host, en) && en->sha256 &&
	       describe_hash(host, en->path, hex) == 0 && streq(hex, en->sha256);
}
