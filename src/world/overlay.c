/* SPDX-License-Identifier: MIT */
#include "world/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "fs/meta.h"

/* research/worlds.md: redirect_dir so that a lower directory can be renamed, metacopy so that chown
 * copies no data, index for hard links, volatile because nothing here is worth an fsync. Tried in
 * this order: kernels and file systems refuse some (metacopy or index without file handles,
 * volatile before 5.10). */
static const char *const overlay_options[][10] = {
    {"redirect_dir", "on", "metacopy", "on", "index", "on", "volatile", NULL, NULL},
    {"redirect_dir", "on", "metacopy", "on", "index", "on", NULL},
    {"redirect_dir", "on", "index", "off", NULL},
    {NULL},
};

/* ":" and "\" are special in a lowerdir list, "," in old kernels' option strings. */
static char *escape_lower(const char *path)
{
	char *out = xcalloc(2 * strlen(path) + 1, 1), *to = out;

	for (; *path; path++) {
		if (*path == ':' || *path == '\\' || *path == ',')
			*to++ = '\\';
		*to++ = *path;
	}
	return out;
}

static int set_options(int ctx, const char *const *options)
{
	for (size_t i = 0; options[i]; i += 2) {
		bool flag = !options[i + 1];
		if (fsconfig(ctx, flag ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, options[i],
			     options[i + 1], 0) < 0)
			return -errno;
		if (flag)
			break;
	}
	return 0;
}

static int overlay(const char *lower, const char *upper, const char *work,
		   const char *const *options, unsigned attr)
{
	const char *const dirs[][2] = {{"lowerdir", lower}, {"upperdir", upper}, {"workdir", work}};
	CLEANUP_FD int ctx = fsopen("overlay", FSOPEN_CLOEXEC);

	if (ctx < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (fsconfig(ctx, FSCONFIG_SET_STRING, dirs[i][0], dirs[i][1], 0) < 0)
			return -errno;
	int r = set_options(ctx, options);
	if (r < 0)
		return r;
	if (fsconfig(ctx, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	int mnt = fsmount(ctx, FSMOUNT_CLOEXEC, attr);
	return mnt < 0 ? -errno : mnt;
}

/* The root of an overlay shows the metadata of its upper layer: that of the lower is put on it. */
static int dress_upper(const char *lower, const char *upper)
{
	struct meta m CLEANUP_META = META_INIT;
	CLEANUP_FD int fd = open(lower, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : meta_read(fd, &m);

	return r < 0 ? r : meta_apply(AT_FDCWD, upper, &m);
}

int overlay_mount(const char *scratch, size_t n, const char *dir, unsigned attr)
{
	CLEANUP_STR char *lower = escape_lower(dir);
	int r = -EINVAL;

	for (size_t i = 0; r < 0 && i < ARRAY_LEN(overlay_options); i++) {
		/* A work directory that a failed attempt touched may not be used again. */
		CLEANUP_STR char *upper = xasprintf("%s/upper%zu.%zu", scratch, n, i);
		CLEANUP_STR char *work = xasprintf("%s/work%zu.%zu", scratch, n, i);
		if (mkdir(upper, 0700) < 0 || mkdir(work, 0700) < 0)
			return -errno;
		r = dress_upper(dir, upper);
		if (r < 0)
			return r;
		r = overlay(lower, upper, work, overlay_options[i], attr);
	}
	return r;
}
