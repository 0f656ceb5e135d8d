/* SPDX-License-Identifier: MIT */
#include "host/holders.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/sockets.h"
#include "host/idle.h"

enum {
	MAX_DESCRIPTORS = 1000000, /* of all processes: a bound for the hostile */
	MAX_ROWS = 100000,
	MAX_MAPS = 32 << 20,
	NUMBER_MAX =
	    64, /* bytes of a file that may be nothing but a number: Postfix pads its own */
	UNIT_MAX = 128,
};

/* One process while it is looked at. What identifies it is read when its first row is added. */
struct scan {
	int proc;	  /* /proc */
	const char *name; /* in it */
	pid_t pid;
	size_t room;
	struct holder who;
	struct holders *ret;
	/* holders_listening() */
	const struct socket_table *table;
	/* holders_running() */
	struct stat program;
	char *const *argv;
};

static void holder_done(struct holder *h)
{
	free(h->name);
	free(h->unit);
	free(h->program);
	free(h->what);
}

void holders_done(struct holders *h)
{
	for (size_t i = 0; i < h->n; i++)
		holder_done(&h->v[i]);
	free(h->v);
	*h = (struct holders)HOLDERS_INIT;
}

static int open_proc(pid_t pid, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return open(path, flags | O_CLOEXEC);
}

/* At most @max bytes of /proc/PID/NAME, new; NULL where the process has gone. */
static char *read_proc(pid_t pid, const char *name, size_t max)
{
	CLEANUP_FD int fd = open_proc(pid, name, O_RDONLY);
	char *text = NULL;

	return fd < 0 || fd_read_all(fd, max, &text, NULL) < 0 ? NULL : text;
}

/* The last component of the process's control group that is a unit's name: "user@1000.service" may
 * stand above it, "init.scope" or a group of the service's own making below. */
static char *unit_of(pid_t pid)
{
	CLEANUP_STR char *text = read_proc(pid, "cgroup", 1 << 16);
	char *line_save, *part_save, *unit = NULL;
	char *line = text ? strtok_r(text, "\n", &line_save) : NULL;

	for (; line; line = strtok_r(NULL, "\n", &line_save)) {
		/* systemd's own hierarchy, or the only one: cgroups(7), /proc/PID/cgroup */
		const char *number = strchr(line, ':');
		if (!number || !(str_after(number, "::/") || str_after(number, ":name=systemd:/")))
			continue;
		char *part = strtok_r(strchr(line, '/'), "/", &part_save);
		for (; part; part = strtok_r(NULL, "/", &part_save)) {
			if (!str_ends(part, ".service") && !str_ends(part, ".scope"))
				continue;
			free(unit);
			unit = str_printable(xstrndup(part, UNIT_MAX));
		}
	}
	return unit;
}

static char *program_of(pid_t pid)
{
	char path[64], link[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	ssize_t n = readlink(path, link, sizeof(link));
	return n > 0 ? str_printable(xstrndup(link, (size_t)n)) : NULL;
}

static void identify(struct scan *s)
{
	if (s->who.pid)
		return;
	char *name = read_proc(s->pid, "comm", 256);

	if (name)
		name[strcspn(name, "\n")] = '\0';
	s->who = (struct holder){.pid = s->pid,
				 .name = name ? str_printable(name) : xstrdup("?"),
				 .unit = unit_of(s->pid),
				 .program = program_of(s->pid)};
}

static void add(struct scan *s, const char *what, bool lock)
{
	struct holders *h = s->ret;

	if (h->n >= MAX_ROWS)
		return;
	identify(s);
	const struct holder *w = &s->who;
	h->v = xrealloc(h->v, h->n + 1, sizeof(*h->v));
	h->v[h->n++] = (struct holder){.pid = w->pid,
				       .name = xstrdup(w->name),
				       .unit = w->unit ? xstrdup(w->unit) : NULL,
				       .program = w->program ? xstrdup(w->program) : NULL,
				       .what = xstrdup(what),
				       .lock = lock};
}

/* @held, an O_PATH descriptor, is a regular file. Read without a trace: no time stamp, no wait. */
static bool says_number(int held, off_t size)
{
	char path[64], text[NUMBER_MAX];

	if (size > NUMBER_MAX)
		return false;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", held);
	CLEANUP_FD int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOATIME | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text), 0);
	for (ssize_t i = 0; i < n; i++)
		if (!isdigit((unsigned char)text[i]) && !isspace((unsigned char)text[i]))
			return false;
	return n >= 0;
}

/* Whether @path leads us to @held: what a process has in another mount namespace may have the same
 * name and be another file, and what was deleted or replaced is nobody's state any more. */
static bool is_there(const struct stat *held, const char *path)
{
	struct stat st;

	return fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0 &&
	       st.st_dev == held->st_dev && st.st_ino == held->st_ino;
}

/* @name in @dir (/proc/PID/fd or map_files) leads to something that can be written to. */
static void look_at(struct scan *s, int dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	ssize_t n = readlinkat(dir, name, path, sizeof(path) - 1);

	path[n > 0 ? n : 0] = '\0';
	if (path[0] != '/' || path_within(path, "/dev"))
		return;
	CLEANUP_FD int held = openat(dir, name, O_PATH | O_CLOEXEC);
	if (held >= 0 && fstat(held, &st) == 0 && S_ISREG(st.st_mode) && is_there(&st, path))
		add(s, path, says_number(held, st.st_size));
}

/* The mode of the link says how the file was opened: proc_pid_fd(5). */
static void scan_descriptors(struct scan *s)
{
	int fd = open_proc(s->pid, "fd", O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;
	struct stat st;

	while (d && s->room > 0 && (de = readdir(d))) {
		s->room--;
		if (fstatat(fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode) &&
		    st.st_mode & S_IWUSR)
			look_at(s, fd, de->d_name);
	}
	if (d)
		closedir(d);
}

/* "START-END rw-s OFFSET DEV INODE PATH": proc_pid_maps(5). */
static bool is_shared_writable(const char *line, size_t *ret_range)
{
	const char *mode = strchr(line, ' ');

	*ret_range = mode ? (size_t)(mode - line) : 0;
	return mode && mode[1] && mode[2] == 'w' && mode[3] && mode[4] == 's' && strchr(mode, '/');
}

static void scan_mappings(struct scan *s)
{
	CLEANUP_STR char *text = read_proc(s->pid, "maps", MAX_MAPS);
	CLEANUP_FD int dir = -1;
	char range[64];
	size_t n;

	for (char *line = text, *next; line && *line; line = next) {
		next = strchr(line, '\n');
		if (!next)
			break;
		*next++ = '\0';
		if (!is_shared_writable(line, &n))
			continue;
		if (dir < 0 && (dir = open_proc(s->pid, "map_files", O_RDONLY | O_DIRECTORY)) < 0)
			break;
		snprintf(range, sizeof(range), "%.*s", (int)n, line);
		look_at(s, dir, range);
	}
}

static void look_for_writing(struct scan *s)
{
	scan_descriptors(s);
	scan_mappings(s);
}

static int each_process(struct scan *s, void (*look)(struct scan *s))
{
	DIR *d = opendir("/proc");
	pid_t own = getpid();
	struct dirent *de;

	if (!d)
		return -errno;
	s->proc = dirfd(d);
	while ((de = readdir(d))) {
		s->pid = (pid_t)strtol(de->d_name, NULL, 10);
		if (s->pid <= 0 || s->pid == own)
			continue;
		s->name = de->d_name;
		look(s);
		holder_done(&s->who);
		s->who = (struct holder){0};
	}
	closedir(d);
	return 0;
}

static int by_process(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;
	return x->pid != y->pid ? (x->pid > y->pid) - (x->pid < y->pid) : strcmp(x->what, y->what);
}

static void sort_unique(struct holders *h)
{
	size_t n = 0;

	if (h->n)
		qsort(h->v, h->n, sizeof(*h->v), by_process);
	for (size_t i = 0; i < h->n; i++) {
		if (n && by_process(&h->v[n - 1], &h->v[i]) == 0)
			holder_done(&h->v[i]);
		else
			h->v[n++] = h->v[i];
	}
	h->n = n;
}

int holders_writing(struct holders *ret)
{
	struct scan s = {.room = MAX_DESCRIPTORS, .ret = ret};
	int r = each_process(&s, look_for_writing);

	sort_unique(ret);
	return r;
}

/* A listener taken apart. IPv4 is written as IPv6 has it, "::ffff:127.0.0.1". */
struct endpoint {
	size_t kind; /* length of "tcp", which begins the text */
	struct in6_addr address;
	bool any, v4;
	const char *port; /* NULL: a unix socket */
};

static bool endpoint_parse(const char *text, struct endpoint *ret)
{
	char address[64];
	struct in_addr v4;
	const char *port = strrchr(text, ':');
	*ret = (struct endpoint){.kind = strcspn(text, ":")};

	if (!text[ret->kind] || str_after(text, "unix:"))
		return text[ret->kind];
	const char *from = text + ret->kind + 1;
	if (port < from)
		return false;
	bool bracketed = from[0] == '[' && port[-1] == ']';
	snprintf(address, sizeof(address), "%.*s", (int)(port - from - 2 * bracketed),
		 from + bracketed);
	ret->port = port;
	if (inet_pton(AF_INET, address, &v4) == 1) {
		ret->address.s6_addr[10] = ret->address.s6_addr[11] = 0xff;
		memcpy(&ret->address.s6_addr[12], &v4, sizeof(v4));
		ret->any = v4.s_addr == 0;
	} else if (inet_pton(AF_INET6, address, &ret->address) != 1)
		return false;
	else
		ret->any = IN6_IS_ADDR_UNSPECIFIED(&ret->address);
	ret->v4 = IN6_IS_ADDR_V4MAPPED(&ret->address);
	return true;
}

/* Whether @a takes what @b wants: "::" takes IPv4 as well. */
static bool takes(const struct endpoint *a, const struct endpoint *b)
{
	return a->any && (!a->v4 || b->v4);
}

static bool collide(const char *one, const char *other)
{
	struct endpoint a, b;

	if (!endpoint_parse(one, &a) || !endpoint_parse(other, &b))
		return false;
	if (!a.port || !b.port)
		return streq(one, other);
	return a.kind == b.kind && strncmp(one, other, a.kind) == 0 && streq(a.port, b.port) &&
	       (takes(&a, &b) || takes(&b, &a) || IN6_ARE_ADDR_EQUAL(&a.address, &b.address));
}

static bool in_the_way(const struct socket_row *row, const struct strv *listeners)
{
	for (size_t i = 0; row->waits && i < listeners->n; i++)
		if (collide(row->name, listeners->v[i]))
			return true;
	return false;
}

static void add_if_listed(void *user, unsigned long inode)
{
	struct scan *s = user;

	for (size_t i = 0; i < s->table->n; i++)
		if (s->table->v[i].inode == inode)
			add(s, s->table->v[i].name, false);
}

static void look_for_sockets(struct scan *s)
{
	sockets_held(s->pid, &s->room, add_if_listed, s);
}

/* Leaves those rows that are in the way of @listeners. */
static void narrow(struct socket_table *t, const struct strv *listeners)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (in_the_way(&t->v[i], listeners))
			t->v[n++] = t->v[i];
		else
			free(t->v[i].name);
	}
	t->n = n;
}

int holders_listening(const struct strv *listeners, struct holders *ret)
{
	struct socket_table table CLEANUP_SOCKET_TABLE = SOCKET_TABLE_INIT;
	struct scan s = {.room = MAX_DESCRIPTORS, .ret = ret, .table = &table};

	sockets_read(0, NULL, &table);
	narrow(&table, listeners);
	int r = table.n ? each_process(&s, look_for_sockets) : 0;
	sort_unique(ret);
	return r;
}

static bool has_command_line(pid_t pid, char *const *argv)
{
	CLEANUP_FD int fd = open_proc(pid, "cmdline", O_RDONLY);
	CLEANUP_STR char *text = NULL;
	size_t len, at = 0;

	if (fd < 0 || fd_read_all(fd, 1 << 20, &text, &len) < 0 || !len)
		return false;
	for (; *argv && at < len && streq(text + at, *argv); argv++)
		at += strlen(*argv) + 1;
	return !*argv && at >= len;
}

static void look_for_program(struct scan *s)
{
	char path[300]; /* a name has 255 bytes at most */
	struct stat st;

	stpcpy(stpcpy(path, s->name), "/exe"); /* of all processes: each costs as much as it must */
	if (fstatat(s->proc, path, &st, 0) == 0 && st.st_dev == s->program.st_dev &&
	    st.st_ino == s->program.st_ino && has_command_line(s->pid, s->argv))
		add(s, s->argv[0], false);
}

int holders_running(const char *program, char *const *argv, struct holders *ret)
{
	struct scan s = {.argv = argv, .ret = ret};

	if (!argv[0] || stat(program, &s.program) < 0 || idle_program(program))
		return 0;
	int r = each_process(&s, look_for_program);
	sort_unique(ret);
	return r;
}

char *holder_text(const struct holder *h)
{
	return h->unit ? xasprintf("%s (pid %d, %s)", h->name, h->pid, h->unit)
		       : xasprintf("%s (pid %d)", h->name, h->pid);
}
