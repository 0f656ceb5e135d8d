/* SPDX-License-Identifier: MIT */
#include "base/sysctl.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"

enum { MAX_VALUE = 4096 };

static int open_setting(const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	return open(path, flags | O_CLOEXEC);
}

void sysctl_read(const char *const *names, size_t n, char **values)
{
	for (size_t i = 0; i < n; i++) {
		CLEANUP_FD int fd = open_setting(names[i], O_RDONLY);
		char text[MAX_VALUE];
		/* Such a file gives all it has at once. */
		ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text));
		values[i] = len < 0 ? NULL : xstrndup(text, (size_t)len);
	}
}

long long sysctl_number(const char *name, long long otherwise)
{
	CLEANUP_FD int fd = open_setting(name, O_RDONLY);
	char text[32];
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (len < 0)
		return otherwise;
	text[len] = '\0';
	return strtoll(text, NULL, 10);
}

void sysctl_write(const char *const *names, size_t n, char *const *values)
{
	for (size_t i = 0; i < n; i++) {
		CLEANUP_FD int fd = values[i] ? open_setting(names[i], O_WRONLY) : -1;
		ssize_t ignored = fd < 0 ? 0 : write(fd, values[i], strlen(values[i]));
		(void)ignored;
	}
}
