/* SPDX-License-Identifier: MIT */
/* NAME: how wide this terminal is. */
#include "asked.h"

#include <curses.h>
#include <term.h>
#include <unistd.h>

void answer(const char *const words[4], FILE *out)
{
	int error = 0;

	if (setupterm(words[0], STDERR_FILENO, &error) == OK)
		fprintf(out, "%s has %d columns\n", words[0], tigetnum("cols"));
	else
		fprintf(out, "error: no terminal %s\n", words[0]);
}
