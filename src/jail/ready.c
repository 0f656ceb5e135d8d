/* SPDX-License-Identifier: MIT */
#include "jail/ready.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/sockets.h"
#include "base/sysctl.h"
#include "fs/beneath.h"

/* How long it must have rested: briefly where it listens on all that is expected, longer where it
 * listens and we do not know what else may come, longest where it does not listen at all. A service
 * that never rests (it polls, it burns) is taken as ready after a while of listening, or of life.
 */
enum {
	QUIET_EXPECTED = 75,
	QUIET_AGAIN = 150, /* after a signal: its parts may not have heard of it yet */
	QUIET_LISTENING = 300,
	QUIET_SILENT = 1500,
	BUSY_LISTENING = 5000,
	BUSY_FIRST = 30000, /* what else will listen is not known yet: a helper may be first */
	BUSY_SILENT = 15000,
};

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

static void add_socket(void *user, unsigned long inode)
{
	struct socket_inode **set = user, *found;

	HASH_FIND(hh, *set, &inode, sizeof(inode), found);
	if (found)
		return;
	found = xcalloc(1, sizeof(*found));
	found->number = inode;
	HASH_ADD(hh, *set, number, sizeof(inode), found);
}

/* The first port that the kernel hands out by itself, ip(7). */
static long ephemeral_from(void)
{
	return (long)sysctl_number("net/ipv4/ip_local_port_range", 32768);
}

static bool has_inode(struct socket_inode *set, unsigned long number)
{
	struct socket_inode *found;
	HASH_FIND(hh, set, &number, sizeof(number), found);
	return found;
}

/* A socket that was bound under a temporary name and renamed still shows the first one. */
static bool path_there(const struct run *r, const char *path)
{
	struct stat st;
	CLEANUP_FD int fd = run_root(r);
	CLEANUP_FD int sock = fd < 0 ? -1 : beneath_open(fd, path, O_PATH, 0);
	return sock >= 0 && fstat(sock, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* Whether others can reach the service by it. */
static bool is_listener(const struct run *r, const struct socket_row *row)
{
	const char *path = socket_path(row);

	return row->waits && (!path || (path[0] == '/' && path_there(r, path)));
}

void ready_listeners(const struct run *r, struct strv *ret)
{
	struct pid_list pids CLEANUP_PIDS = {0};
	struct socket_inode *set CLEANUP(sockets_free) = NULL;
	struct socket_table table CLEANUP_SOCKET_TABLE = SOCKET_TABLE_INIT;
	size_t room = MAX_LINKS;

	run_pids(r, &pids);
	for (size_t i = 0; i < pids.n; i++)
		sockets_held(pids.v[i], &room, add_socket, &set);
	sockets_read(r->init, NULL, &table);
	for (size_t i = 0; i < table.n; i++)
		if (has_inode(set, table.v[i].inode) && is_listener(r, &table.v[i]))
			strv_add(ret, table.v[i].name);
	strv_sort_unique(ret);
}

static bool is_unix(const char *listener)
{
	return str_after(listener, "unix:");
}

/* The port of "tcp:127.0.0.1:8080"; 0 for a unix socket. */
static long port_of(const char *listener)
{
	return is_unix(listener) ? 0 : strtol(strrchr(listener, ':') + 1, NULL, 10);
}

void ready_drop_changing(struct strv *listeners, const struct record *record)
{
	struct strv kept = STRV_INIT;
	long ephemeral = ephemeral_from();

	for (size_t i = 0; i < listeners->n; i++)
		if (port_of(listeners->v[i]) < ephemeral ||
		    record_binds(record, listeners->v[i][0] == 'u',
				 (uint16_t)port_of(listeners->v[i])))
			strv_add(&kept, listeners->v[i]);
	strv_done(listeners);
	*listeners = kept;
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

/* How much a listener of an earlier run says of the next one. */
enum surety {
	MAY_DIFFER, /* a unix socket: its name may hold a pid (Apache's CGI daemon has one) */
	MAY_CHANGE, /* a port that the service may have chosen at random */
	IS_SURE,
};

static enum surety surety_of(const char *listener, long ephemeral)
{
	if (is_unix(listener))
		return MAY_DIFFER;
	return port_of(listener) < ephemeral ? IS_SURE : MAY_CHANGE;
}

static bool has_network(const struct strv *listeners)
{
	for (size_t i = 0; i < listeners->n; i++)
		if (!is_unix(listeners->v[i]))
			return true;
	return false;
}

/* Whether all of @want of at least that @surety is there. */
static bool all_in(const struct strv *want, const struct strv *have, enum surety surety,
		   long ephemeral)
{
	for (size_t i = 0; i < want->n; i++)
		if (surety_of(want->v[i], ephemeral) >= surety && !strv_has(have, want->v[i]))
			return false;
	return true;
}

/* Whether what was @expected is there: unix sockets count only for services that have no other.
 * What may have another name this time is not waited for forever. */
static bool is_all_there(const struct strv *expected, const struct rest *s)
{
	long ephemeral = ephemeral_from();
	enum surety least = has_network(expected) ? MAY_CHANGE : MAY_DIFFER;

	if (all_in(expected, &s->listeners, least, ephemeral))
		return true;
	return s->listeners.n && s->quiet_ms >= QUIET_SILENT &&
	       all_in(expected, &s->listeners, IS_SURE, ephemeral);
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
	if (s->quiet_ms < (s->again ? QUIET_AGAIN : QUIET_EXPECTED) && s->age_ms < BUSY_LISTENING)
		return false;
	strv_done(&s->listeners);
	ready_listeners(r, &s->listeners);
	bool known = expected && expected->n;
	if (known && !is_all_there(expected, s))
		return false;
	if (s->again)
		return true;
	if (!s->listeners.n)
		return s->quiet_ms >= QUIET_SILENT || s->age_ms >= BUSY_SILENT;
	return known || s->quiet_ms >= QUIET_LISTENING || s->age_ms >= BUSY_FIRST;
}
