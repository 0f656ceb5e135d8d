/* SPDX-License-Identifier: MIT */
/* The locale of the environment: which character set, and how a Monday is called. */
#include "asked.h"

#include <langinfo.h>
#include <locale.h>
#include <time.h>

void answer(const char *const words[4], FILE *out)
{
	const struct tm monday = {.tm_wday = 1};
	char name[64];

	(void)words;
	if (!setlocale(LC_ALL, "")) {
		fprintf(out, "error: no such locale\n");
		return;
	}
	strftime(name, sizeof(name), "%A", &monday);
	fprintf(out, "%s, %s\n", nl_langinfo(CODESET), name);
}
