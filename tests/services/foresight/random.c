/* SPDX-License-Identifier: MIT */
/* How many bytes of luck there are. */
#include "asked.h"

#include <fcntl.h>
#include <unistd.h>

static ssize_t bytes_of(const char *device)
{
	char bytes[32];
	int fd = open(device, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, bytes, sizeof(bytes));

	close(fd);
	return n;
}

void answer(const char *const words[4], FILE *out)
{
	(void)words;
	fprintf(out, "%zd %zd\n", bytes_of("/dev/random"), bytes_of("/dev/urandom"));
}
