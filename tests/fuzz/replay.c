/* SPDX-License-Identifier: MIT */
/* Feeds every file of the corpus directories named on the command line to the fuzz target, so that
 * `make check` replays what the fuzzers found, with any compiler. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(int dir, const char *name)
{
	char *data;
	size_t len;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fd_read_all(fd, 16 << 20, &data, &len) < 0)
		return -1;
	close(fd);
	LLVMFuzzerTestOneInput((const uint8_t *)data, len);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	int n = 0;

	for (int i = 1; i < argc; i++) {
		DIR *d = opendir(argv[i]);
		struct dirent *de;
		while (d && (de = readdir(d)))
			if (de->d_name[0] != '.' && replay(dirfd(d), de->d_name) == 0)
				n++;
		if (d)
			closedir(d);
	}
	printf("%s - %d inputs replayed\n1..1\n", n ? "ok 1" : "not ok 1", n);
	return n ? 0 : 1;
}
