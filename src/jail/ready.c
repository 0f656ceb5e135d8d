/* SPDX-License-Identifier: MIT */
#include "jail/ready.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "fs/beneath.h"

/* How long it must have rested: briefly where it listens on all that is expected, longer where it
 * listens and we do not know what else may come, longest where it does not listen at all. A service
 * that never rests (it polls, it burns) is taken as ready after a while of listening, or of life.
 */
enum {
	QUIET_EXPECTED = 75,
	QUIET_LISTENING = 300,
	QUIET_SILENT = 1500,
	BUSY_LISTENING = 5000,
	BUSY_FIRST = 30000, /* what else will listen is not known yet: a helper may be first */
	BUSY_SILENT = 15000,
};

void pid_list_done(struct pid_list *l)
{
	free(l->v);
	*l = (struct pid_list){0};
}

static void add_children(pid_t pid, struct pid_list *l)
{
	char path[320], *text, *save;
	struct dirent *de;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	DIR *d = opendir(path);
	while (d && (de = readdir(d))) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/children", pid, de->d_name);
		CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || fd_read_all(fd, 1 << 20, &text, NULL) < 0)
			continue;
		for (char *w = strtok_r(text, " \n", &save); w; w = strtok_r(NULL, " \n", &save)) {
			l->v = xrealloc(l->v, l->n + 1, sizeof(*l->v));
			l->v[l->n++] = (pid_t)strtol(w, NULL, 10);
		}
		free(text);
	}
	if (d)
		closedir(d);
}

void run_pids(const struct run *r, struct pid_list *ret)
{
	*ret = (struct pid_list){0};
	add_children(r->init, ret);
	for (size_t i = 0; i < ret->n && ret->n < 100000; i++)
		add_children(ret->v[i], ret);
}

/* A set of sockets, by inode. */
struct socket_inode {
	unsigned long number;
	UT_hash_handle hh;
};

static void sockets_free(struct socket_inode **set)
{
	struct socket_inode *i, *next;
	HASH_ITER(hh, *set, i, next)
	{
		HASH_DEL(*set, i);
		free(i);
	}
}

/* How many descriptors one look reads: children mostly hold what their parents hold, and a service
 * with thousands of both must not stall us. */
#define MAX_LINKS 50000

static void add_sockets(pid_t pid, struct socket_inode **set, int *room)
{
	char path[320], link[64];
	struct dirent *de;
	struct socket_inode *found;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	DIR *d = opendir(path);
	while (d && *room > 0 && (de = readdir(d))) {
		(*room)--;
		ssize_t n = readlinkat(dirfd(d), de->d_name, link, sizeof(link) - 1);
		if (n <= 0)
			continue;
		link[n] = '\0';
		const char *number = str_after(link, "socket:[");
		if (!number)
			continue;
		unsigned long inode = strtoul(number, NULL, 10);
		HASH_FIND(hh, *set, &inode, sizeof(inode), found);
		if (found)
			continue;
		found = xcalloc(1, sizeof(*found));
		found->number = inode;
		HASH_ADD(hh, *set, number, sizeof(inode), found);
	}
	if (d)
		closedir(d);
}

static FILE *open_net(const struct run *r, const char *table)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/net/%s", r->init, table);
	return fopen(path, "re");
}

/* The first port that the kernel hands out by itself, ip(7). */
static unsigned ephemeral_from(void)
{
	unsigned from = 32768;
	FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	if (f && fscanf(f, "%u", &from) != 1)
		from = 32768;
	if (f)
		fclose(f);
	return from;
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
	if (!inet_ntop(n == 4 ? AF_INET6 : AF_INET, words, buf, (socklen_t)size))
		snprintf(buf, size, "?");
}

static bool has_inode(struct socket_inode *set, unsigned long number)
{
	struct socket_inode *found;
	HASH_FIND(hh, set, &number, sizeof(number), found);
	return found;
}

/* proc_net_tcp(5): listening is state 0A; an unconnected UDP socket is 07 without a remote port. */
static void add_inet(const struct run *r, const char *table, const char *word, unsigned want,
		     struct socket_inode *set, struct strv *ret)
{
	char line[512], local[40], text[64];
	unsigned port, rport, state, from = ephemeral_from();
	unsigned long inode;
	FILE *f = open_net(r, table);

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " %*d: %39[0-9A-F]:%x %*[0-9A-F]:%x %x %*s %*s %*s %*d %*d %lu",
			   local, &port, &rport, &state, &inode) != 5)
			continue;
		if (state == want && rport == 0 && port < from && has_inode(set, inode)) {
			address_text(local, text, sizeof(text));
			bool v6 = strchr(text, ':');
			strv_take(ret, xasprintf(v6 ? "%s:[%s]:%u" : "%s:%s:%u", word, text, port));
		}
	}
	if (f)
		fclose(f);
}

/* A socket that was bound under a temporary name and renamed still shows the first one. */
static bool path_there(const struct run *r, const char *path)
{
	char root[64];
	struct stat st;

	snprintf(root, sizeof(root), "/proc/%d/root", r->init);
	CLEANUP_FD int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int sock = fd < 0 ? -1 : beneath_open(fd, path, O_PATH, 0);
	return sock >= 0 && fstat(sock, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* proc_net_unix: flag 0x10000 is __SO_ACCEPTCON; a bound datagram socket has a path and no flag. */
static void add_unix(const struct run *r, struct socket_inode *set, struct strv *ret)
{
	char line[512], path[128];
	unsigned long inode;
	unsigned flags, type;
	FILE *f = open_net(r, "unix");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*[^:]: %*x %*x %x %x %*x %lu %127s", &flags, &type, &inode,
			   path) != 4)
			continue;
		if ((flags & 0x10000 || type == 2) && path[0] == '/' && has_inode(set, inode) &&
		    path_there(r, path))
			strv_take(ret, xasprintf("unix:%s", path));
	}
	if (f)
		fclose(f);
}

static const struct {
	const char *table, *word;
	unsigned state;
} inet_tables[] = {
    {"tcp", "tcp", 0x0a},
    {"tcp6", "tcp", 0x0a},
    {"udp", "udp", 0x07},
    {"udp6", "udp", 0x07},
};

void ready_listeners(const struct run *r, struct strv *ret)
{
	struct pid_list pids CLEANUP_PIDS = {0};
	struct socket_inode *set CLEANUP(sockets_free) = NULL;
	int room = MAX_LINKS;

	run_pids(r, &pids);
	for (size_t i = 0; i < pids.n; i++)
		add_sockets(pids.v[i], &set, &room);
	for (size_t i = 0; i < ARRAY_LEN(inet_tables); i++)
		add_inet(r, inet_tables[i].table, inet_tables[i].word, inet_tables[i].state, set,
			 ret);
	add_unix(r, set, ret);
	strv_sort_unique(ret);
}

/* Ticks of processor time used by @pid: fields 14 and 15 of proc_pid_stat(5). */
static unsigned long cpu_of(pid_t pid)
{
	char path[64], text[1024];
	unsigned long user = 0, system = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	const char *after = strrchr(text, ')'); /* the name may hold anything */
	if (!after || sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			     &user, &system) != 2)
		return 0;
	return user + system;
}

/* Of how many processes the threads are looked at. */
#define MAX_WATCHED 50

/* Whether a thread of @pid runs, or would if a processor were free, or waits for a disk: on a
 * loaded host a service that is still starting may use no time for a while. */
static bool at_work(pid_t pid)
{
	char path[320], state = 0;
	struct dirent *de;
	bool busy = false;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	DIR *d = opendir(path);
	for (int room = 200; d && !busy && room && (de = readdir(d)); room--) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/stat", pid, de->d_name);
		FILE *f = fopen(path, "re");
		/* The name, in parentheses, may hold anything: the last one counts. */
		char text[256];
		size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
		text[n] = '\0';
		const char *after = strrchr(text, ')');
		busy = after && sscanf(after + 1, " %c", &state) == 1 &&
		       (state == 'R' || state == 'D');
		if (f)
			fclose(f);
	}
	if (d)
		closedir(d);
	return busy;
}

void rest_done(struct rest *s)
{
	strv_done(&s->listeners);
}

static bool is_unix(const char *listener)
{
	return str_after(listener, "unix:");
}

static bool has_network(const struct strv *listeners)
{
	for (size_t i = 0; i < listeners->n; i++)
		if (!is_unix(listeners->v[i]))
			return true;
	return false;
}

/* Whether all that is expected is there. Names of unix sockets may hold a pid (Apache's CGI daemon
 * has one): they count only for services that have no other. */
static bool all_in(const struct strv *want, const struct strv *have)
{
	bool network = has_network(want);

	for (size_t i = 0; i < want->n; i++)
		if (!(network && is_unix(want->v[i])) && !strv_has(have, want->v[i]))
			return false;
	return true;
}

bool rest_look(struct rest *s, const struct run *r, const struct strv *expected,
	       unsigned long calls)
{
	struct pid_list pids CLEANUP_PIDS = {0};
	unsigned long cpu = 0;
	bool busy = false;

	run_pids(r, &pids);
	for (size_t i = 0; i < pids.n; i++) {
		cpu += cpu_of(pids.v[i]);
		busy = busy || (i < MAX_WATCHED && at_work(pids.v[i]));
	}
	s->age_ms += READY_TICK_MS;
	s->quiet_ms += READY_TICK_MS;
	/* A tick of processor time is 10 ms: up to a tenth of the moment, and a few calls. */
	if (busy || pids.n != s->processes || cpu > s->cpu + 1 + (unsigned long)s->quiet_ms / 100 ||
	    calls > s->calls + 3 + (unsigned long)s->quiet_ms / 25) {
		s->quiet_ms = 0;
		s->cpu = cpu;
		s->calls = calls;
		s->processes = pids.n;
	}
	if (s->quiet_ms < QUIET_EXPECTED && s->age_ms < BUSY_LISTENING)
		return false;
	strv_done(&s->listeners);
	ready_listeners(r, &s->listeners);
	bool known = expected && expected->n;
	if (known && !all_in(expected, &s->listeners)) {
		bool only_unix = !has_network(expected) && s->listeners.n;
		return only_unix && s->quiet_ms >= QUIET_SILENT;
	}
	if (!s->listeners.n)
		return s->quiet_ms >= QUIET_SILENT || s->age_ms >= BUSY_SILENT;
	return known || s->quiet_ms >= QUIET_LISTENING || s->age_ms >= BUSY_FIRST;
}
