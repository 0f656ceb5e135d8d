/* SPDX-License-Identifier: MIT */
#include "base/sockets.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
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

static socklen_t unix_address(const char *path, struct sockaddr_un *ret)
{
	if (path[0] != '/' || strlen(path) >= sizeof(ret->sun_path))
		return 0;
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	strcpy(ret->sun_path, path);
	return sizeof(*ret);
}

static socklen_t inet_address(const char *text, in_port_t port, struct sockaddr_in *ret)
{
	*ret = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
	return inet_pton(AF_INET, text, &ret->sin_addr) == 1 ? sizeof(*ret) : 0;
}

/* One that is valid on a link only would need the link's name. */
static socklen_t inet6_address(const char *text, in_port_t port, struct sockaddr_in6 *ret)
{
	*ret = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
	return inet_pton(AF_INET6, text, &ret->sin6_addr) == 1 &&
		       !IN6_IS_ADDR_LINKLOCAL(&ret->sin6_addr)
		   ? sizeof(*ret)
		   : 0;
}

socklen_t socket_address(const char *name, struct sockaddr_storage *ret, int *ret_type)
{
	const char *path = str_after(name, "unix:"), *udp = str_after(name, "udp:");
	const char *at = udp ? udp : str_after(name, "tcp:");
	char host[INET6_ADDRSTRLEN];
	unsigned short port;
	int end = 0;

	*ret = (struct sockaddr_storage){0};
	*ret_type = udp ? SOCK_DGRAM : SOCK_STREAM;
	if (path)
		return unix_address(path, (struct sockaddr_un *)ret);
	if (at && sscanf(at, "[%45[0-9a-f:.]]:%hu%n", host, &port, &end) == 2 && !at[end])
		return inet6_address(host, htons(port), (struct sockaddr_in6 *)ret);
	if (at && sscanf(at, "%45[0-9.]:%hu%n", host, &port, &end) == 2 && !at[end])
		return inet_address(host, htons(port), (struct sockaddr_in *)ret);
	return 0;
}

bool socket_is_free(const char *name)
{
	struct sockaddr_storage a;
	int type, on = 1, off = 0;
	socklen_t len = socket_address(name, &a, &type);
	CLEANUP_FD int s =
	    len && a.ss_family != AF_UNIX ? socket(a.ss_family, type | SOCK_CLOEXEC, 0) : -1;

	if (s < 0)
		return false;
	/* Connections that are over hold no place; an address may come up later. */
	if (type == SOCK_STREAM)
		setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* [::] with what it means for IPv4, whatever the host's default. */
	if (a.ss_family == AF_INET6) {
		setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
		setsockopt(s, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on));
	} else
		setsockopt(s, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
	return bind(s, (const struct sockaddr *)&a, len) == 0;
}

char *socket_name(const struct sockaddr_storage *a, int type)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)a;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)a;
	const char *word = type == SOCK_DGRAM ? "udp" : "tcp";
	char text[INET6_ADDRSTRLEN];

	if (a->ss_family == AF_UNIX && ((const struct sockaddr_un *)a)->sun_path[0] == '/')
		return xasprintf("unix:%s", ((const struct sockaddr_un *)a)->sun_path);
	if (a->ss_family == AF_INET && inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text)))
		return xasprintf("%s:%s:%u", word, text, ntohs(in->sin_port));
	if (a->ss_family == AF_INET6 && inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text)))
		return xasprintf("%s:[%s]:%u", word, text, ntohs(in6->sin6_port));
	return xstrdup("");
}
