/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"

int log_level;

void log_debug(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (log_level < 1)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	fprintf(stderr, "immure: %s\n", str_printable(line));
}
