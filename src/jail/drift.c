/* SPDX-License-Identifier: MIT */
#include "jail/drift.h"

#include <limits.h>

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
	       st.st_mtim.tv_nsec == en->mtime.tv_nsec;
}

bool drift_same_content(int host, const struct entry *en)
{
	char hex[65];
	struct stat st;

	if (en->provided != PROVIDED_COPY || drift_same(host, en))
		return true;
	return S_ISREG(en->mode) && beneath_lstat(host, en->path, &st) == 0 &&
	       same_owner(&st, en) && en->sha256 && describe_hash(host, en->path, hex) == 0 &&
	       streq(hex, en->sha256);
}
