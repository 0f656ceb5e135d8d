/* SPDX-License-Identifier: MIT */
#include "fs/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"

int dir_names(int fd, struct strv *ret)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);

	if (!d) {
		int r = -errno;
		fd_close(&copy);
		return r;
	}
	errno = 0;
	for (struct dirent *de; (de = readdir(d));)
		if (!streq(de->d_name, ".") && !streq(de->d_name, ".."))
			strv_add(ret, de->d_name);
	int r = -errno;
	closedir(d);
	strv_sort_unique(ret);
	return r;
}
