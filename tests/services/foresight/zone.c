/* SPDX-License-Identifier: MIT */
/* ZONE: the second billion, there; without a word in the zone of the host. */
#include "asked.h"

#include <stdlib.h>
#include <time.h>

void answer(const char *const words[4], FILE *out)
{
	const time_t billion = 1000000000;
	char text[64];
	struct tm tm;

	if (*words[0])
		setenv("TZ", words[0], 1);
	else
		unsetenv("TZ");
	tzset();
	strftime(text, sizeof(text), "%F %T %Z", localtime_r(&billion, &tm));
	fprintf(out, "%s\n", text);
}
