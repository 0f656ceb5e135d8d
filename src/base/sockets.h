/* SPDX-License-Identifier: MIT */
/* Sockets as the kernel tells of them: the tables of a network namespace below /proc/PID/net,
 * proc_net_tcp(5), and who holds which, proc_pid_fd(5). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/attr.h"

/* One socket with an address of its own. Connections of TCP are none of them. */
struct socket_row {
	unsigned long inode;
	char *name;    /* "tcp:127.0.0.1:80", "udp:[::]:53", "unix:/run/x.sock" */
	unsigned port; /* 0: a unix socket */
	bool waits;    /* it listens, or is a bound datagram socket */
};

struct socket_table {
	struct socket_row *v;
	size_t n;
};
#define SOCKET_TABLE_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_SOCKET_TABLE CLEANUP(socket_table_done)
void socket_table_done(struct socket_table *t);

/* The path of a unix socket as its owner gave it to bind(2), by his root and working directory; it
 * may be relative and may hold any byte. NULL for a row that is no unix socket. */
const char *socket_path(const struct socket_row *row);

/* Adds what the network namespace of @pid (0: ours) has in @table ("tcp", "tcp6", "udp", "udp6",
 * "unix"; NULL: in all of them; those of tcp take the kernel half a millisecond each). Unnamed and
 * abstract unix sockets are left out. A table that cannot be read is empty: the process has gone.
 */
void sockets_read(pid_t pid, const char *table, struct socket_table *ret);

/* Parses one line of @table; false where it is malformed
 * or none of the above. ret->name is the caller's. Exposed for the unit test. */
bool socket_line_parse(const char *table, const char *line, struct socket_row *ret);

/* Calls @each with the inode of every socket among the descriptors of @pid, of which at most *room
 * are looked at; *room is reduced by their number. */
void sockets_held(pid_t pid, size_t *room, void (*each)(void *user, unsigned long inode),
		  void *user);

/* The address that such a name means: "tcp:127.0.0.1:80", "udp:[::]:53", "unix:/run/x.sock". Its
 * length and the type of socket (SOCK_STREAM, SOCK_DGRAM), or 0 where it is none. */
socklen_t socket_address(const char *name, struct sockaddr_storage *ret, int *ret_type);

/* The other way round, new; "" for an address without such a name. */
char *socket_name(const struct sockaddr_storage *a, int type);

/* Whether nobody has the address "tcp:..." or "udp:..." just now, tried by bind(2), which asks one
 * bucket of the kernel where its tables are read whole. False also where that cannot be known. With
 * many sockets at one port of UDP the kernel holds a wildcard against wildcards only: whoever must
 * know of those reads the tables. */
bool socket_is_free(const char *name);
