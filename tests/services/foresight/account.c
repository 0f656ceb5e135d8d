/* SPDX-License-Identifier: MIT */
/* user NAME, group NAME, service NAME: its number. */
#include "asked.h"

#include <arpa/inet.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <string.h>

static long number_of(const char *kind, const char *name)
{
	const struct passwd *pw = strcmp(kind, "user") ? NULL : getpwnam(name);
	const struct group *gr = strcmp(kind, "group") ? NULL : getgrnam(name);
	const struct servent *se = strcmp(kind, "service") ? NULL : getservbyname(name, "tcp");

	if (pw)
		return (long)pw->pw_uid;
	if (gr)
		return (long)gr->gr_gid;
	return se ? ntohs((uint16_t)se->s_port) : -1;
}

void answer(const char *const words[4], FILE *out)
{
	long n = number_of(words[0], words[1]);

	if (n < 0)
		fprintf(out, "error: no %s %s\n", words[0], words[1]);
	else
		fprintf(out, "%ld\n", n);
}
