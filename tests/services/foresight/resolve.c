/* SPDX-License-Identifier: MIT */
/* HOST: its addresses. */
#include "asked.h"

#include <netdb.h>
#include <sys/socket.h>

void answer(const char *const words[4], FILE *out)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	char text[64];
	int r = getaddrinfo(words[0], NULL, &hints, &list);

	if (r != 0)
		fprintf(out, "error: %s\n", gai_strerror(r));
	for (const struct addrinfo *a = list; a; a = a->ai_next)
		if (!getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0,
				 NI_NUMERICHOST))
			fprintf(out, "%s\n", text);
	if (list)
		freeaddrinfo(list);
}
