/* SPDX-License-Identifier: MIT */
/* As many names as fill several buffers, of every length: each is told once. */
#include "base/entries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "check.h"

#define NAMES 200

static void make_names(int dir)
{
	char name[256];

	for (int i = 1; i <= NAMES; i++) {
		memset(name, 'a', (size_t)i);
		name[i] = '\0';
		CLEANUP_FD int fd = openat(dir, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
		CHECK(fd >= 0);
	}
}

static void test_all(int dir)
{
	struct entries e = {.fd = dir};
	bool seen[NAMES + 1] = {false};
	const char *name;
	int r, n = 0;

	while ((r = entries_next(&e, &name)) > 0) {
		size_t len = strlen(name);
		CHECK(len >= 1 && len <= NAMES && !seen[len]);
		seen[len] = true;
		n++;
	}
	CHECK_INT(r, 0);
	CHECK_INT(n, NAMES);
}

static void test_empty_and_wrong(const char *path)
{
	struct entries e = {.fd = open("/dev/null", O_RDONLY | O_CLOEXEC)};
	const char *name;

	CHECK_INT(entries_next(&e, &name), -ENOTDIR);
	close(e.fd);
	CHECK_INT(mkdir(path, 0700), 0);
	e = (struct entries){.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	CHECK_INT(entries_next(&e, &name), 0);
	close(e.fd);
	CHECK_INT(rmdir(path), 0);
}

int main(void)
{
	char top[] = "/tmp/immure-entries.XXXXXX", empty[64], remove[64];

	CHECK(mkdtemp(top) != NULL);
	CLEANUP_FD int dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_names(dir);
	test_all(dir);
	snprintf(empty, sizeof(empty), "%s/empty", top);
	test_empty_and_wrong(empty);
	snprintf(remove, sizeof(remove), "rm -rf %s", top);
	CHECK_INT(system(remove), 0);
	return check_done("entries");
}
