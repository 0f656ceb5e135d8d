/* SPDX-License-Identifier: MIT */
#include "confine/carried.h"
#include "confine/launcher.h"

/* The program's bytes: made by the build, src/meson.build. */
extern const unsigned char launcher_program[];
extern const unsigned launcher_program_size;

/* The front can do all that immure-launch can, and where it has begun a run its pages are there. */
int launcher_open(struct err *e)
{
	int fd = carried_open("immure", NULL, 0, NULL);

	if (fd >= 0)
		return fd;
	return carried_open("immure-launch", launcher_program, launcher_program_size, e);
}
