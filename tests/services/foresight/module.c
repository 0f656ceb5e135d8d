/* SPDX-License-Identifier: MIT */
/* The module of plugin.c, which needs a library that its program does not. */
#include <zlib.h>

const char *says(void);

const char *says(void)
{
	return zlibCompileFlags() ? "zlib is here" : "error: no flags";
}
