/* SPDX-License-Identifier: MIT */
#include "confine/carried.h"
#include "confine/launcher.h"

/* The program's bytes: made by the build, src/meson.build. */
extern const unsigned char launcher_program[];
extern const unsigned launcher_program_size;

int launcher_open(struct err *e)
{
	return carried_open("immure-launch", launcher_program, launcher_program_size, e);
}
