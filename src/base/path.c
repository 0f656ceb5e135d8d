/* SPDX-License-Identifier: MIT */
#include "base/path.h"

#include <string.h>

#include "base/alloc.h"

bool path_within(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	while (n && dir[n - 1] == '/')
		n--;
	return strncmp(path, dir, n) == 0 && (n == 0 || path[n] == '\0' || path[n] == '/');
}

char *path_normal(const char *path)
{
	char *out = xcalloc(strlen(path) + 2, 1);
	size_t len = 0;

	while (*path) {
		size_t n = strcspn(path, "/");
		if (n == 2 && path[0] == '.' && path[1] == '.') {
			while (len && out[--len] != '/')
				;
		} else if (n && !(n == 1 && path[0] == '.')) {
			out[len++] = '/';
			memcpy(out + len, path, n);
			len += n;
		}
		path += n + (path[n] == '/');
	}
	if (!len)
		out[len++] = '/';
	out[len] = '\0';
	return out;
}

char *path_join(const char *dir, const char *name)
{
	const char *slash = dir[0] && dir[strlen(dir) - 1] == '/' ? "" : "/";

	while (*name == '/')
		name++;
	return xasprintf("%s%s%s", dir, slash, name);
}

char *path_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash || slash == path)
		return xstrdup("/");
	return xstrndup(path, (size_t)(slash - path));
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

size_t path_depth(const char *path)
{
	size_t depth = 0;
	for (const char *p = path; *p; p++)
		depth += *p == '/' && p[1] != '\0' && p[1] != '/';
	return depth;
}

char *path_common(const char *a, const char *b)
{
	char *dir = xstrdup(a);
	while (!path_within(b, dir)) {
		char *up = path_parent(dir);
		free(dir);
		dir = up;
	}
	return dir;
}

size_t path_nearest(const struct strv *dirs, const char *path)
{
	size_t longest = 0;

	for (size_t i = 0; i < dirs->n; i++)
		if (path_within(path, dirs->v[i]) && strlen(dirs->v[i]) > longest)
			longest = strlen(dirs->v[i]);
	return longest;
}
