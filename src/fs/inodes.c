/* SPDX-License-Identifier: MIT */
#include "fs/inodes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "fs/beneath.h"

static struct inode *find(const struct inode *map, const struct stat *st)
{
	struct inode_key key;
	struct inode *found;

	memset(&key, 0, sizeof(key)); /* padding is hashed too */
	key.dev = st->st_dev;
	key.ino = st->st_ino;
	HASH_FIND(hh, map, &key, sizeof(key), found);
	return found;
}

const char *inodes_find(const struct inode *map, const struct stat *st)
{
	const struct inode *i = find(map, st);
	return i ? i->path : NULL;
}

void inodes_add(struct inode **map, const struct stat *st, const char *path)
{
	struct inode *i = find(*map, st);

	if (i) {
		free(i->path);
		i->path = xstrdup(path);
		return;
	}
	i = xcalloc(1, sizeof(*i));
	i->key.dev = st->st_dev;
	i->key.ino = st->st_ino;
	i->path = xstrdup(path);
	HASH_ADD(hh, *map, key, sizeof(i->key), i);
}

void inodes_free(struct inode **map)
{
	struct inode *i, *next;

	HASH_ITER(hh, *map, i, next)
	{
		HASH_DEL(*map, i);
		free(i->path);
		free(i);
	}
}

int inodes_link(int root, const char *first, int parent, const char *name)
{
	const char *base;
	CLEANUP_FD int from = beneath_parent(root, first, &base);

	if (from < 0)
		return from;
	return linkat(from, base, parent, name, 0) < 0 ? -errno : 0;
}
