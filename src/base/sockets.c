/* SPDX-License-Identifier: MIT */
#include "base/sockets.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"

enum {
	TCP_LISTENING = 0x0a,
	UDP_UNCONNECTED = 0x07,
	UNIX_ACCEPTS = 0x10000, /* __SO_ACCEPTCON */
	UNIX_DATAGRAM = 2,
};

static const struct {
	const char *table, *word;
	unsigned state; /* of those that wait; 0: unix */
} tables[] = {
    {"tcp", "tcp", TCP_LISTENING},
    {"tcp6", "tcp", TCP_LISTENING},
    {"udp", "udp", UDP_UNCONNECTED},
    {"udp6", "udp", UDP_UNCONNECTED},
    {"unix", "unix", 0},
};

void socket_table_done(struct socket_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i].name);
	free(t->v);
	*t = (struct socket_table)SOCKET_TABLE_INIT;
}

const char *socket_path(const struct socket_row *row)
{
	return str_after(row->name, "unix:");
}

/* The tables write an address as 32-bit words in host order, hexadecimal. */
static void address_text(const char *hex, char *buf, size_t size)
{
	uint32_t words[4];
	size_t n = strlen(hex) / 8;

	for (size_t i = 0; i < n && i < 4; i++) {
		char word[9];
		memcpy(word, hex + 8 * i, 8);
		word[8] = '\0';
		words[i] = (uint32_t)strtoul(word, NULL, 16);
	}
	if (!n || !inet_ntop(n == 4 ? AF_INET6 : AF_INET, words, buf, (socklen_t)size))
		snprintf(buf, size, "?");
}

static bool parse_inet(const char *word, unsigned want, const char *line, struct socket_row *ret)
{
	char local[40], text[64];
	unsigned port, rport, state;
	unsigned long inode;

	if (sscanf(line, " %*d: %39[0-9A-F]:%x %*[0-9A-F]:%x %x %*s %*s %*s %*d %*d %lu", local,
		   &port, &rport, &state, &inode) != 5 ||
	    state != want || rport != 0)
		return false;
	address_text(local, text, sizeof(text));
	bool v6 = strchr(text, ':');
	char *name = xasprintf(v6 ? "%s:[%s]:%u" : "%s:%s:%u", word, text, port);
	*ret = (struct socket_row){inode, name, port, true};
	return true;
}

/* The path is the rest of the line, as it is: with a newline in it, it forges a line; whoever may
 * bind such a name could have bound the forged one. */
static bool parse_unix(const char *line, struct socket_row *ret)
{
	unsigned flags, type;
	unsigned long inode;
	int at = 0;

	if (sscanf(line, "%*[^:]: %*x %*x %x %x %*x %lu %n", &flags, &type, &inode, &at) != 3 ||
	    !at || !line[at] || line[at] == '@')
		return false;
	bool waits = flags & UNIX_ACCEPTS || type == UNIX_DATAGRAM;
	*ret = (struct socket_row){inode, xasprintf("unix:%s", line + at), 0, waits};
	return true;
}

static bool parse(size_t table, const char *line, struct socket_row *ret)
{
	unsigned state = tables[table].state;

	return state ? parse_inet(tables[table].word, state, line, ret) : parse_unix(line, ret);
}

bool socket_line_parse(const char *table, const char *line, struct socket_row *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		if (streq(tables[i].table, table))
			return parse(i, line, ret);
	return false;
}

static void read_table(pid_t pid, size_t table, struct socket_table *ret)
{
	char path[64], line[512];
	struct socket_row row;

	snprintf(path, sizeof(path), "/proc/%d/net/%s", pid, tables[table].table);
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!parse(table, line, &row))
			continue;
		ret->v = xrealloc(ret->v, ret->n + 1, sizeof(*ret->v));
		ret->v[ret->n++] = row;
	}
	if (f)
		fclose(f);
}

void sockets_read(pid_t pid, const char *table, struct socket_table *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		if (!table || streq(table, tables[i].table))
			read_table(pid ? pid : getpid(), i, ret);
}

void sockets_held(pid_t pid, size_t *room, void (*each)(void *user, unsigned long inode),
		  void *user)
{
	char path[64], link[64];
	struct dirent *de;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	DIR *d = opendir(path);
	while (d && *room > 0 && (de = readdir(d))) {
		(*room)--;
		ssize_t n = readlinkat(dirfd(d), de->d_name, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		const char *number = str_after(link, "socket:[");
		if (number)
			each(user, strtoul(number, NULL, 10));
	}
	if (d)
		closedir(d);
}
