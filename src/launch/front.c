/* SPDX-License-Identifier: MIT */
/* immure, as it is typed: a small static program, of the sources of immure-launch, that does one
 * thing itself, the short way of `immure run` (launch/short.h), and hands everything else to
 * immure-main, the program with all commands.
 *
 * It is also what runs as the init and the keeper of a jail (launch/roles.h), so that the two and
 * the short way share their pages. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "confine/carried.h"
#include "launch/roles.h"
#include "launch/short.h"

/* The bytes of immure-main: launch/main-image.S. */
extern const unsigned char main_program[];
extern const unsigned main_program_size;

/* Our path, which units and scripts are to name; @otherwise where it cannot be told. */
static char *own_path(char *otherwise)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path));

	return n > 0 && n < PATH_MAX ? xstrndup(path, (size_t)n) : otherwise;
}

/* What is to be seen of it in the jail, whose init is a copy of us: nothing. */
static char **hide_words(int argc, char **argv)
{
	char **copy = xcalloc((size_t)argc + 1, sizeof(*copy));

	for (int i = 0; i < argc; i++) {
		copy[i] = xstrdup(argv[i]);
		memset(argv[i], 0, strlen(argv[i]));
	}
	return copy;
}

/* A closed one would be given to a file that is opened here; immure-main knows what to do. */
static bool has_streams(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	struct err e = {0};

	role_take(argc, argv);
	bool plain = argc == 3 && strcmp(argv[1], "run") == 0 && has_streams();
	int program = carried_open("immure-main", main_program, main_program_size, &e);
	if (program >= 0 && plain) {
		argv = hide_words(argc, argv);
		short_run(argv[2], program);
	}
	if (program >= 0 && argc > 0) {
		argv[0] = own_path(argv[0]);
		short_execute(program, argv);
	}
	dprintf(2, "immure: %s\n", program < 0 ? e.msg : strerror(errno));
	return 5;
}
