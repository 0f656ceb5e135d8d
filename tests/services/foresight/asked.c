/* SPDX-License-Identifier: MIT */
/* usage: asked CONFIGURATION
 * Answers each connection's one line on TCP 127.0.0.1, at the port its configuration says. */
#include "asked.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char keys[32][32], values[32][256];

static void read_configuration(const char *file)
{
	char line[512];
	FILE *f = fopen(file, "re");

	for (size_t n = 0; f && n < 32 && fgets(line, sizeof(line), f);)
		n += sscanf(line, " %31[^=# ] = %255[^\n]", keys[n], values[n]) == 2;
	if (f)
		fclose(f);
}

const char *setting(const char *key)
{
	for (size_t i = 0; i < 32; i++)
		if (strcmp(keys[i], key) == 0)
			return values[i];
	return "";
}

static void serve(int client)
{
	char line[512], *save = NULL;
	const char *words[4] = {"", "", "", ""};
	ssize_t n = recv(client, line, sizeof(line) - 1, 0);

	if (n <= 0) { /* a build's exercise: it shows that somebody is there, and nothing else */
		close(client);
		return;
	}
	FILE *out = fdopen(client, "w");
	line[n] = '\0';
	for (size_t i = 0; i < 4; i++) {
		const char *word = strtok_r(i ? NULL : line, " \n", &save);
		if (word)
			words[i] = word;
	}
	answer(words, out);
	fclose(out);
}

static int listen_on(const char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((in_port_t)atoi(port))};
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(s, (const struct sockaddr *)&at, sizeof(at)) < 0 || listen(s, 8) < 0) {
		perror("asked: listening");
		exit(1);
	}
	return s;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	read_configuration(argv[1]);
	int s = listen_on(setting("port"));
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		int client = accept4(s, NULL, NULL, SOCK_CLOEXEC);
		if (client >= 0)
			serve(client);
	}
}
