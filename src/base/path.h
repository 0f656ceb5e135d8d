/* SPDX-License-Identifier: MIT */
/* Paths as text: absolute, "/"-separated, without a file system behind them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* Whether absolute @path is @dir or lies below it. "/" contains everything. */
bool path_within(const char *path, const char *dir);

/* A new absolute path with ".", empty parts and a trailing slash gone and ".." taken back as the
 * text says (links unknown). The caller's to free. */
char *path_normal(const char *path);

/* A new "dir/name", with one slash between; dir "/" gives "/name". */
char *path_join(const char *dir, const char *name);

/* A new copy of @path's parent: "/a" and "/" give "/". */
char *path_parent(const char *path);

/* The part after the last slash, pointing into @path. */
const char *path_base(const char *path);

/* How many components: "/" has 0, "/a/b" has 2. */
size_t path_depth(const char *path);

/* The longest directory that holds both, new. */
char *path_common(const char *a, const char *b);

/* The length of the longest of @dirs that @path lies in, 0: none. */
size_t path_nearest(const struct strv *dirs, const char *path);

/* @path relative to a root descriptor: "/a/b" -> "a/b", "/" -> ".". Points into @path. */
static inline const char *path_relative(const char *path)
{
	while (*path == '/')
		path++;
	return *path ? path : ".";
}
